// A peer that shares no code with godwit: quic-go, and what the protocol's page says.
//
//	quicgo bytes hello|request|ack                      what this peer sends for the page's worked bytes
//	quicgo knock ADDRESS CERTIFICATES ALPN              a handshake with another protocol
//	quicgo greet ADDRESS CERTIFICATES CLIENT_ID         a Hello, and what the server says to it
//	quicgo SCENARIO ADDRESS CERTIFICATES [ARGUMENT]…    see scenarios.go
//
// Prints what it saw, a fact a line. Exits with 0 when the connection did what the page says, 1 when not.
package main

import (
	"errors"
	"fmt"
	"os"

	quic "github.com/lucas-clemente/quic-go"
)

// scenario runs on a live session; it has at least so many arguments.
type scenario struct {
	run       func(*session, []string) error
	arguments int
}

var scenarios = map[string]scenario{
	"ask": {ask, 2}, "large": {large, 2}, "many": {many, 2}, "tell": {tell, 2},
	"stranger": {stranger, 0}, "linger": {linger, 0}, "cut-short": {cutShort, 0}, "misfit": {misfit, 0},
}

// visit runs a scenario on a session of its own.
func visit(address, certificates, clientID string, run func(*session) error) error {
	s, err := greet(address, certificates, clientID)
	if err != nil {
		return err
	}
	if err := run(s); err != nil {
		return err
	}
	return s.end()
}

func play(arguments []string) error {
	switch {
	case len(arguments) == 2 && arguments[0] == "bytes":
		return bytesOf(arguments[1])
	case len(arguments) == 4 && arguments[0] == "knock":
		return knock(arguments[1], arguments[2], arguments[3])
	case len(arguments) == 4 && arguments[0] == "greet":
		return visit(arguments[1], arguments[2], arguments[3], welcomed)
	}
	if len(arguments) < 3 || scenarios[arguments[0]].run == nil || len(arguments)-3 < scenarios[arguments[0]].arguments {
		return errors.New("main.go says how to call this")
	}
	return visit(arguments[1], arguments[2], "stranger-1", func(s *session) error {
		return scenarios[arguments[0]].run(s, arguments[3:])
	})
}

func main() {
	err := play(os.Args[1:])
	var refused refusal
	switch {
	case err == nil:
		return
	case errors.As(err, &refused):
		fmt.Printf("refuse %d\ntext %s\n", refused.code, refused.text)
		var closed *quic.ApplicationError
		if errors.As(refused.closed, &closed) {
			fmt.Printf("closed %d\n", closed.ErrorCode)
		}
	default:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
