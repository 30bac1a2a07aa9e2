package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	quic "github.com/lucas-clemente/quic-go"
)

const (
	protocol = "godwit/1"
	// Nothing in a test takes so long when all is well.
	patience = 15 * time.Second
	// What the readers may be ahead of the one who listens; more waits in its streams.
	arrivalsMax = 1_024
	// Streams that the server may have open towards us.
	serverStreamsMax = 64

	codeStreamTypeUnknown = 3006
)

// session is one live connection. Streams are read by a goroutine each; everything else happens in the caller's.
type session struct {
	connection quic.Connection
	control    quic.Stream
	lane       quic.SendStream
	welcome    welcome
	sent       uint64
	acked      func(seq uint64) bool
	nacks      map[uint64]nack
	seen       seen
	leaving    bool
	arrivals   chan arrival
}

// arrival is what a reader found: a message, a frame of the control stream, or why it read no further.
type arrival struct {
	message *message
	frame   *frame
	err     error
}

func dial(address, certificates, alpn string) (quic.Connection, error) {
	trusted, err := os.ReadFile(certificates)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(trusted)
	within, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return quic.DialAddrContext(within, address, &tls.Config{RootCAs: roots, NextProtos: []string{alpn}},
		&quic.Config{Versions: []quic.VersionNumber{quic.Version1}, MaxIncomingUniStreams: serverStreamsMax})
}

// refusal is the server's other answer to Hello.
type refusal struct {
	farewell
	closed error
}

func (r refusal) Error() string { return fmt.Sprintf("refused with %d: %s", r.code, r.text) }

func greet(address, certificates, clientID string) (*session, error) {
	connection, err := dial(address, certificates, protocol)
	if err != nil {
		return nil, err
	}
	s := &session{connection: connection, nacks: map[uint64]nack{}, seen: seen{beyond: map[uint64]bool{}},
		acked: ack{}.covers, arrivals: make(chan arrival, arrivalsMax)}
	if s.control, err = connection.OpenStream(); err != nil {
		return nil, err
	}
	opening := frame{frameHello, hello{clientID, "quic-go peer"}.encode()}.encode()
	if _, err = s.control.Write(append([]byte{streamControl}, opening...)); err != nil {
		return nil, err
	}
	if err = s.readGreeting(); err != nil {
		return nil, err
	}
	if s.lane, err = s.open(streamShared); err != nil {
		return nil, err
	}
	go s.acceptStreams()
	return s, nil
}

func (s *session) readGreeting() error {
	control := bufio.NewReader(s.control)
	s.control.SetReadDeadline(time.Now().Add(patience))
	answer, err := readFrame(control, controlFrameMax)
	if err != nil {
		return err
	}
	s.control.SetReadDeadline(time.Time{})
	switch answer.kind {
	case frameWelcome:
		s.welcome, err = decodeWelcome(answer.payload)
		go s.readControl(control)
		return err
	case frameRefuse:
		why, err := decodeFarewell(answer.payload)
		if err != nil {
			return err
		}
		_, closed := readFrame(control, controlFrameMax)
		return refusal{why, closed}
	}
	return fmt.Errorf("frame type %d as an answer to Hello", answer.kind)
}

// open opens a stream in our direction and says its type.
func (s *session) open(kind byte) (quic.SendStream, error) {
	within, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	stream, err := s.connection.OpenUniStreamSync(within)
	if err == nil {
		_, err = stream.Write([]byte{kind})
	}
	return stream, err
}

func (s *session) readControl(control *bufio.Reader) {
	for {
		found, err := readFrame(control, controlFrameMax)
		if err != nil {
			s.arrivals <- arrival{err: err}
			return
		}
		s.arrivals <- arrival{frame: &found}
	}
}

// acceptStreams ends with the connection, which readControl reports.
func (s *session) acceptStreams() {
	for {
		stream, err := s.connection.AcceptUniStream(context.Background())
		if err != nil {
			return
		}
		go s.readStream(stream)
	}
}

func (s *session) readStream(stream quic.ReceiveStream) {
	from := bufio.NewReader(stream)
	kind, err := from.ReadByte()
	if err != nil {
		s.arrivals <- arrival{err: err}
		return
	}
	switch kind {
	case streamShared:
		s.readLane(from)
	case streamOwn:
		found, err := readOwn(from, s.welcome.inlineBytesMax)
		s.arrivals <- arrival{message: &found, err: err}
	default:
		stream.CancelRead(codeStreamTypeUnknown)
	}
}

func (s *session) readLane(from *bufio.Reader) {
	for {
		found, err := readFrame(from, sharedFrameMax)
		if err != nil {
			s.arrivals <- arrival{err: err}
			return
		}
		m, err := messageOf(found)
		s.arrivals <- arrival{message: &m, err: err}
	}
}

// number gives a message what its lane does not decide.
func (s *session) number(m *message) {
	s.sent++
	m.seq, m.bodyBytes, m.afterDelta = s.sent, uint64(len(m.body)), 1
}

// send puts a message on the shared lane, and returns its number.
func (s *session) send(m message) (uint64, error) {
	s.number(&m)
	_, err := s.lane.Write(m.inFrame().encode())
	return m.seq, err
}

// sendOwn gives a message a stream of its own.
func (s *session) sendOwn(m message) (uint64, error) {
	s.number(&m)
	return m.seq, s.writeOwn(m)
}

func (s *session) writeOwn(m message) error {
	stream, err := s.open(streamOwn)
	if err != nil {
		return err
	}
	head := frame{frameMessageHead, m.envelope.encode()}.encode()
	if _, err := stream.Write(append(head, m.body...)); err != nil {
		return err
	}
	return stream.Close()
}

func (s *session) sendControl(kind byte, payload []byte) error {
	_, err := s.control.Write(frame{kind, payload}.encode())
	return err
}

// listen waits for the next arrival. Messages are acknowledged, acknowledgements noted, pings answered.
func (s *session) listen() (arrival, error) {
	select {
	case found := <-s.arrivals:
		if found.err != nil {
			return found, found.err
		}
		if found.message != nil {
			return found, s.take(*found.message)
		}
		return found, s.obey(*found.frame)
	case <-time.After(patience):
		return arrival{}, errors.New("nothing came in time")
	}
}

func (s *session) take(m message) error {
	if m.seq == 0 || !s.seen.add(m.seq) {
		return fmt.Errorf("the server's message %d came twice, or has no number", m.seq)
	}
	return s.sendControl(frameAck, ack{cumulative: s.seen.unbroken}.encode())
}

func (s *session) obey(f frame) error {
	switch f.kind {
	case frameAck:
		read, err := decodeAck(f.payload)
		if err != nil {
			return err
		}
		s.acked = read.covers
		for _, each := range read.nacks {
			s.nacks[each.seq] = each
		}
		return nil
	case framePing:
		return s.sendControl(framePong, f.payload)
	case framePong:
		return nil
	case frameGoodbye:
		s.leaving = true
		return nil
	}
	return fmt.Errorf("frame type %d on the control stream", f.kind)
}

// end makes sure that the server has read everything, by a Ping unless it leaves as well, and closes.
func (s *session) end() error {
	if !s.leaving {
		if err := s.ping(uint64(time.Now().UnixNano())); err != nil {
			return err
		}
	}
	return s.connection.CloseWithError(0, "done")
}

func (s *session) ping(nonce uint64) error {
	if err := s.sendControl(framePing, encodeNonce(nonce)); err != nil {
		return err
	}
	for {
		found, err := s.listen()
		if err != nil {
			return err
		}
		if found.frame == nil || found.frame.kind != framePong {
			continue
		}
		if back, err := decodeNonce(found.frame.payload); err != nil || back != nonce {
			return fmt.Errorf("a Pong of %d for a Ping of %d (%v)", back, nonce, err)
		}
		return nil
	}
}

// seen is which of the server's numbers came: all up to unbroken, and some beyond.
type seen struct {
	unbroken uint64
	beyond   map[uint64]bool
}

func (s *seen) add(seq uint64) bool {
	if seq <= s.unbroken || s.beyond[seq] {
		return false
	}
	s.beyond[seq] = true
	for s.beyond[s.unbroken+1] {
		s.unbroken++
		delete(s.beyond, s.unbroken)
	}
	return true
}
