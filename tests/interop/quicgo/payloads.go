package main

import "fmt"

// The payloads of godwit.capnp that this peer uses. `capnp compile -ocapnp` prints where each field lies.

const (
	kindCommand  = 0
	kindEvent    = 1
	kindQuery    = 2
	kindResponse = 3

	statusSuccess = 1

	flagAckSoon = 1
)

type hello struct{ clientID, agent string }

func (h hello) encode() []byte {
	root := newRoot(2, 5)
	root.putText(0, h.clientID)
	root.putText(3, h.agent)
	return pack(root.in.words)
}

type welcome struct {
	session, inlineBytesMax        uint64
	outboxMessagesMax, heartbeatMs uint32
	server                         string
}

func decodeWelcome(payload []byte) (welcome, error) {
	read, root := open(payload)
	found := welcome{root.get64(0), root.get64(3), root.get32(32), root.get32(36), root.text(1)}
	return found, read.err
}

// farewell is a Refuse or a Goodbye: they have the same fields.
type farewell struct {
	code         uint16
	text         string
	retryAfterMs uint32
}

func decodeFarewell(payload []byte) (farewell, error) {
	read, root := open(payload)
	found := farewell{root.get16(0), root.text(0), root.get32(4)}
	return found, read.err
}

type header struct{ name, value string }

type envelope struct {
	seq           uint64
	deadlineMs    uint32
	kind, flags   uint16
	correlates    uint64
	afterDelta    uint32
	status, code  uint16
	id, bodyBytes uint64
	action, text  string
	headers       []header
}

func (e envelope) encode() []byte {
	root := newRoot(7, 3)
	root.put64(0, e.seq)
	root.put32(8, e.deadlineMs)
	root.put16(12, e.kind)
	root.put16(14, e.flags)
	root.put64(2, e.correlates)
	root.put32(24, e.afterDelta^1) // its default is 1
	root.put16(28, e.status)
	root.put16(30, e.code)
	root.put64(5, e.id)
	root.put64(6, e.bodyBytes)
	root.putText(0, e.action)
	root.putText(1, e.text)
	for i, place := range root.putList(2, len(e.headers), 0, 2) {
		place.putText(0, e.headers[i].name)
		place.putText(1, e.headers[i].value)
	}
	return pack(root.in.words)
}

func decodeEnvelope(payload []byte) (envelope, error) {
	read, root := open(payload)
	found := envelope{
		seq: root.get64(0), deadlineMs: root.get32(8), kind: root.get16(12), flags: root.get16(14),
		correlates: root.get64(2), afterDelta: root.get32(24) ^ 1, status: root.get16(28), code: root.get16(30),
		id: root.get64(5), bodyBytes: root.get64(6), action: root.text(0), text: root.text(1),
	}
	for _, each := range root.list(2) {
		found.headers = append(found.headers, header{each.text(0), each.text(1)})
	}
	return found, read.err
}

type nack struct {
	seq  uint64
	code uint16
	text string
}

func (n nack) Error() string {
	return fmt.Sprintf("message %d refused with %d: %s", n.seq, n.code, n.text)
}

type ack struct {
	cumulative uint64
	ranges     []uint64
	nacks      []nack
}

func (a ack) encode() []byte {
	root := newRoot(1, 2)
	root.put64(0, a.cumulative)
	return pack(root.in.words)
}

func decodeAck(payload []byte) (ack, error) {
	read, root := open(payload)
	found := ack{cumulative: root.get64(0), ranges: root.numbers(0)}
	for _, each := range root.list(1) {
		found.nacks = append(found.nacks, nack{each.get64(0), each.get16(8), each.text(0)})
	}
	return found, read.err
}

// covers tells whether a message is acknowledged here.
func (a ack) covers(seq uint64) bool {
	if seq <= a.cumulative+1 {
		return seq <= a.cumulative
	}
	bit := seq - a.cumulative - 2
	return bit/64 < uint64(len(a.ranges)) && a.ranges[bit/64]>>(bit%64)&1 == 1
}

// A Ping and its Pong have a nonce and nothing else.
func encodeNonce(nonce uint64) []byte {
	root := newRoot(1, 0)
	root.put64(0, nonce)
	return pack(root.in.words)
}

func decodeNonce(payload []byte) (uint64, error) {
	read, root := open(payload)
	return root.get64(0), read.err
}

func open(payload []byte) (*document, record) {
	words, err := unpack(payload)
	read := &document{words, err}
	if err != nil {
		return read, record{from: read}
	}
	return read, read.root()
}
