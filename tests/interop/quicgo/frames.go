package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"github.com/lucas-clemente/quic-go/quicvarint"
)

const (
	streamControl = 1
	streamShared  = 2
	streamOwn     = 3

	frameHello       = 1
	frameWelcome     = 2
	frameRefuse      = 3
	framePing        = 4
	framePong        = 5
	frameAck         = 6
	frameGoodbye     = 7
	frameMessage     = 16
	frameMessageHead = 17

	// Lengths of a frame in bytes, type and payload together.
	controlFrameMax = 16_384
	headFrameMax    = 32_768
	sharedFrameMax  = 98_304
)

type frame struct {
	kind    byte
	payload []byte
}

func (f frame) encode() []byte {
	var encoded bytes.Buffer
	quicvarint.Write(&encoded, uint64(1+len(f.payload)))
	encoded.WriteByte(f.kind)
	encoded.Write(f.payload)
	return encoded.Bytes()
}

func readFrame(from *bufio.Reader, lengthMax uint64) (frame, error) {
	length, err := quicvarint.Read(from)
	if err != nil {
		return frame{}, err
	}
	if length == 0 || length > lengthMax {
		return frame{}, fmt.Errorf("a frame of %d bytes", length)
	}
	content := make([]byte, length)
	if _, err := io.ReadFull(from, content); err != nil {
		return frame{}, err
	}
	return frame{content[0], content[1:]}, nil
}

type message struct {
	envelope
	body []byte
	lane string
}

// inFrame is the message as one frame of the shared lane.
func (m message) inFrame() frame {
	head := m.envelope.encode()
	var payload bytes.Buffer
	quicvarint.Write(&payload, uint64(len(head)))
	payload.Write(head)
	payload.Write(m.body)
	return frame{frameMessage, payload.Bytes()}
}

func messageOf(found frame) (message, error) {
	if found.kind != frameMessage {
		return message{}, fmt.Errorf("frame type %d on the shared lane", found.kind)
	}
	payload := bytes.NewReader(found.payload)
	length, err := quicvarint.Read(payload)
	if err != nil || length > uint64(payload.Len()) {
		return message{}, fmt.Errorf("a header of %d bytes in a frame that has %d", length, payload.Len())
	}
	body := uint64(len(found.payload)) - uint64(payload.Len()) + length
	head, err := decodeEnvelope(found.payload[body-length : body])
	if err == nil && head.bodyBytes != uint64(len(found.payload))-body {
		err = fmt.Errorf("a body of %d bytes that is said to have %d", uint64(len(found.payload))-body, head.bodyBytes)
	}
	return message{head, found.payload[body:], "shared lane"}, err
}

// readOwn reads the one message of a stream, whose type byte was read.
func readOwn(from *bufio.Reader, bodyMax uint64) (message, error) {
	found, err := readFrame(from, headFrameMax)
	if err != nil {
		return message{}, err
	}
	if found.kind != frameMessageHead {
		return message{}, fmt.Errorf("frame type %d first on an own stream", found.kind)
	}
	head, err := decodeEnvelope(found.payload)
	if err != nil {
		return message{}, err
	}
	if head.bodyBytes > bodyMax {
		return message{}, fmt.Errorf("a body of %d bytes", head.bodyBytes)
	}
	body, err := io.ReadAll(io.LimitReader(from, int64(head.bodyBytes)+1))
	if err == nil && uint64(len(body)) != head.bodyBytes {
		err = fmt.Errorf("a body of %d bytes that is said to have %d", len(body), head.bodyBytes)
	}
	return message{head, body, "own stream"}, err
}
