package main

import "errors"

// Cap'n Proto's packed form: words without their zeros.

const (
	tagZeros   = 0x00 // followed by how many more words are zero
	tagLiteral = 0xff // followed by its word, and how many words come after it as they are
	runMax     = 255
	// The largest frame of the protocol may unpack to four times its own size.
	unpackedWordsMax = 4 * sharedFrameMax / 8
)

func pack(words []uint64) []byte {
	var packed []byte
	for len(words) > 0 {
		tag, bytes := squeeze(words[0])
		packed = append(append(packed, tag), bytes...)
		words = words[1:]
		var run int
		switch tag {
		case tagZeros:
			run = runOf(words, tagZeros)
			packed = append(packed, byte(run))
		case tagLiteral:
			run = runOf(words, tagLiteral)
			packed = append(packed, byte(run))
			for _, word := range words[:run] {
				_, bytes := squeeze(word)
				packed = append(packed, bytes...)
			}
		}
		words = words[run:]
	}
	return packed
}

// squeeze returns which bytes of a word are not zero, and those.
func squeeze(word uint64) (tag byte, bytes []byte) {
	for i := 0; i < 8; i++ {
		if value := byte(word >> (8 * i)); value != 0 {
			tag |= 1 << i
			bytes = append(bytes, value)
		}
	}
	return tag, bytes
}

// runOf counts the words at the beginning that have the same tag.
func runOf(words []uint64, tag byte) int {
	for i, word := range words {
		if next, _ := squeeze(word); next != tag || i == runMax {
			return i
		}
	}
	return len(words)
}

var errPacking = errors.New("a packed payload that ends within a word, or is too long")

func unpack(packed []byte) ([]uint64, error) {
	var words []uint64
	for len(packed) > 0 {
		tag := packed[0]
		word, rest, ok := stretch(tag, packed[1:])
		if words, packed = append(words, word), rest; !ok {
			return nil, errPacking
		}
		if tag == tagZeros || tag == tagLiteral {
			if len(packed) == 0 {
				return nil, errPacking
			}
			run := int(packed[0])
			packed = packed[1:]
			for ; run > 0 && ok; run-- {
				word, packed, ok = stretch(tag, packed)
				words = append(words, word)
			}
		}
		if !ok || len(words) > unpackedWordsMax {
			return nil, errPacking
		}
	}
	return words, nil
}

// stretch is the word whose bytes the tag names, and what is left behind it.
func stretch(tag byte, bytes []byte) (word uint64, rest []byte, ok bool) {
	for i := 0; i < 8; i++ {
		if tag>>i&1 == 0 {
			continue
		}
		if len(bytes) == 0 {
			return 0, nil, false
		}
		word |= uint64(bytes[0]) << (8 * i)
		bytes = bytes[1:]
	}
	return word, bytes, true
}
