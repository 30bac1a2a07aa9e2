package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	quic "github.com/lucas-clemente/quic-go"
)

// Requests wait as long as anything here.
const deadlineMs = uint32(patience / time.Millisecond)

func request(action string, body []byte) message {
	return message{envelope: envelope{kind: kindQuery, deadlineMs: deadlineMs, action: action}, body: body}
}

// answer waits for the response to a request, or the nack in its place.
func (s *session) answer(id uint64) (message, error) {
	for {
		found, err := s.listen()
		if err != nil {
			return message{}, err
		}
		if why, refused := s.nacks[id]; refused {
			return message{}, why
		}
		if m := found.message; m != nil && m.kind == kindResponse && m.correlates == id {
			return *m, nil
		}
	}
}

// settled waits until the server has said of every number up to this one that it was handled, or why not.
func (s *session) settled(seq uint64) error {
	for number := uint64(1); number <= seq; number++ {
		for !s.acked(number) {
			if _, err := s.listen(); err != nil {
				return err
			}
		}
	}
	return nil
}

func show(m message) {
	fmt.Printf("status %d\ncode %d\ntext %s\nlane %s\n", m.status, m.code, m.text, m.lane)
	for _, each := range m.headers {
		fmt.Printf("header %s=%s\n", each.name, each.value)
	}
}

// ask ACTION BODY [NAME=VALUE]…: one request on the shared lane.
func ask(s *session, arguments []string) error {
	m := request(arguments[0], []byte(arguments[1]))
	for _, each := range arguments[2:] {
		name, value, _ := strings.Cut(each, "=")
		m.headers = append(m.headers, header{name, value})
	}
	id, err := s.send(m)
	if err != nil {
		return err
	}
	found, err := s.answer(id)
	if err != nil {
		return err
	}
	show(found)
	fmt.Printf("body %s\n", found.body)
	return nil
}

// pattern is a body that shows when parts of it are lost or change places.
func pattern(size int, seed uint64) []byte {
	body := make([]byte, size)
	for i := range body {
		seed = seed*6364136223846793005 + 1442695040888963407
		body[i] = byte(seed >> 56)
	}
	return body
}

// large ACTION BYTES: one request on a stream of its own.
func large(s *session, arguments []string) error {
	size, err := strconv.Atoi(arguments[1])
	if err != nil {
		return err
	}
	body := pattern(size, 1)
	id, err := s.sendOwn(request(arguments[0], body))
	if err != nil {
		return err
	}
	found, err := s.answer(id)
	if err != nil {
		return err
	}
	show(found)
	fmt.Printf("bytes %d\nsame %t\n", len(found.body), bytes.Equal(found.body, body))
	return nil
}

// many ACTION COUNT: requests over both lanes at once, every tenth on a stream of its own.
func many(s *session, arguments []string) error {
	count, err := strconv.Atoi(arguments[1])
	if err != nil {
		return err
	}
	bodies := map[uint64][]byte{}
	for i := 1; i <= count; i++ {
		size, send := i*7, s.send
		if i%10 == 0 {
			size, send = 70_000+i, s.sendOwn
		}
		body := pattern(size, uint64(i))
		id, err := send(request(arguments[0], body))
		if err != nil {
			return err
		}
		bodies[id] = body
	}
	right := 0
	for len(bodies) > 0 {
		found, err := s.listen()
		if err != nil {
			return err
		}
		m := found.message
		if m == nil {
			continue
		}
		if body, asked := bodies[m.correlates]; asked && m.status == statusSuccess && bytes.Equal(body, m.body) {
			right++
		}
		delete(bodies, m.correlates)
	}
	if err := s.settled(s.sent); err != nil {
		return err
	}
	fmt.Printf("right %d\nunbroken %d\n", right, s.seen.unbroken)
	return nil
}

// tell ACTION BODY: one event, until it is acknowledged.
func tell(s *session, arguments []string) error {
	event := envelope{kind: kindEvent, flags: flagAckSoon, action: arguments[0]}
	seq, err := s.send(message{envelope: event, body: []byte(arguments[1])})
	if err != nil {
		return err
	}
	if err := s.settled(seq); err != nil {
		return err
	}
	if why, refused := s.nacks[seq]; refused {
		fmt.Printf("refused %d\ncode %d\ntext %s\n", seq, why.code, why.text)
	} else {
		fmt.Printf("acknowledged %d\n", seq)
	}
	return nil
}

// stranger: streams of a type that nobody knows, in both directions; then a request as if nothing had been.
func stranger(s *session, _ []string) error {
	const unknown = 99
	within, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	both, err := s.connection.OpenStreamSync(within)
	if err != nil {
		return err
	}
	if _, err := both.Write([]byte{unknown}); err != nil {
		return err
	}
	both.SetReadDeadline(time.Now().Add(patience))
	_, err = both.Read(make([]byte, 1))
	fmt.Printf("bidirectional reset %s\n", streamCode(err))
	fmt.Printf("bidirectional stopped %s\n", stopCode(both))
	one, err := s.open(unknown)
	if err != nil {
		return err
	}
	fmt.Printf("unidirectional stopped %s\n", stopCode(one))
	return ask(s, []string{"echo", "still here"})
}

func streamCode(err error) string {
	var stream *quic.StreamError
	if errors.As(err, &stream) {
		return strconv.FormatUint(uint64(stream.ErrorCode), 10)
	}
	return fmt.Sprint(err)
}

// stopCode waits for the peer's STOP_SENDING.
func stopCode(stream quic.SendStream) string {
	select {
	case <-stream.Context().Done():
		_, err := stream.Write([]byte{0})
		return streamCode(err)
	case <-time.After(patience):
		return "never"
	}
}

// cutShort: a request whose own stream ends before its body does, then a whole one.
func cutShort(s *session, _ []string) error {
	m := request("echo", []byte("hello"))
	s.number(&m)
	m.bodyBytes++
	if err := s.writeOwn(m); err != nil {
		return err
	}
	_, err := s.answer(m.seq)
	var why nack
	if !errors.As(err, &why) {
		return fmt.Errorf("no nack: %v", err)
	}
	fmt.Printf("nack %d\ncode %d\n", why.seq, why.code)
	return ask(s, []string{"echo", "still here"})
}

// misfit: a frame of the shared lane whose body is shorter than its envelope says.
func misfit(s *session, _ []string) error {
	m := request("echo", []byte("hello"))
	s.number(&m)
	m.bodyBytes++
	if _, err := s.lane.Write(m.inFrame().encode()); err != nil {
		return err
	}
	_, err := s.answer(m.seq)
	var closed *quic.ApplicationError
	if !errors.As(err, &closed) || !closed.Remote {
		return fmt.Errorf("the connection lives on: %v", err)
	}
	fmt.Printf("closed %d\n", closed.ErrorCode)
	s.leaving = true
	return nil
}

// linger: stays until the server says Goodbye, and goes then, as it has nothing to wait for.
func linger(s *session, _ []string) error {
	fmt.Println("live")
	for {
		found, err := s.listen()
		if err != nil {
			return err
		}
		if found.frame == nil || found.frame.kind != frameGoodbye {
			continue
		}
		why, err := decodeFarewell(found.frame.payload)
		fmt.Printf("goodbye %d\ntext %s\n", why.code, why.text)
		return err
	}
}

// welcomed: what the server offers.
func welcomed(s *session) error {
	w := s.welcome
	fmt.Printf("session %d\ninline %d\noutbox %d\nheartbeat %d\nserver %s\n", w.session, w.inlineBytesMax,
		w.outboxMessagesMax, w.heartbeatMs, w.server)
	return nil
}

// knock ALPN: another protocol than ours.
func knock(address, certificates, alpn string) error {
	connection, err := dial(address, certificates, alpn)
	if err == nil {
		connection.CloseWithError(0, "")
		fmt.Println("let in")
		return nil
	}
	var refused *quic.TransportError
	if !errors.As(err, &refused) {
		return err
	}
	fmt.Printf("refused %#x\nremote %t\n", uint64(refused.ErrorCode), refused.Remote)
	return nil
}

// bytesOf are what this peer sends for the worked bytes of the protocol's page.
func bytesOf(name string) error {
	echo := request("echo", []byte("hello"))
	echo.seq, echo.afterDelta, echo.bodyBytes, echo.deadlineMs = 1, 1, 5, 5_000
	frames := map[string]frame{
		"hello":   {frameHello, hello{"sensor-7", "example/1.0"}.encode()},
		"request": echo.inFrame(),
		"ack":     {frameAck, ack{cumulative: 1}.encode()},
	}
	found, known := frames[name]
	if !known {
		return fmt.Errorf("there are no bytes of %s here", name)
	}
	fmt.Println(hex.EncodeToString(found.encode()))
	return nil
}
