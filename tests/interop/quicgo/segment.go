package main

import (
	"errors"
	"math"
)

// Cap'n Proto structures in one segment without a segment table, after https://capnproto.org/encoding.html.

const (
	pointsToStructure = 0
	pointsToList      = 1
	elementsBytes     = 2
	elementsWords     = 5
	elementsInline    = 7
)

// segment grows while it is written; the first word is the root pointer.
type segment struct{ words []uint64 }

// structure is a place in a segment, to be filled: the index of its first data word and of its first pointer.
type structure struct {
	in             *segment
	data, pointers int
}

func newRoot(dataWords, pointerWords int) structure {
	in := &segment{words: make([]uint64, 1)}
	in.words[0] = structurePointer(0, dataWords, pointerWords)
	return in.reserve(dataWords, pointerWords)
}

func structurePointer(offset, dataWords, pointerWords int) uint64 {
	return pointsToStructure | uint64(uint32(offset)<<2) | uint64(dataWords)<<32 | uint64(pointerWords)<<48
}

func listPointer(offset, elements, count int) uint64 {
	return pointsToList | uint64(uint32(offset)<<2) | uint64(elements)<<32 | uint64(count)<<35
}

func (s *segment) reserve(dataWords, pointerWords int) structure {
	start := len(s.words)
	s.words = append(s.words, make([]uint64, dataWords+pointerWords)...)
	return structure{s, start, start + dataWords}
}

func (s structure) put64(word int, value uint64) { s.in.words[s.data+word] |= value }

// Smaller fields are named by their offset in bytes.
func (s structure) put32(offset int, value uint32) { s.put64(offset/8, uint64(value)<<(offset%8*8)) }
func (s structure) put16(offset int, value uint16) { s.put64(offset/8, uint64(value)<<(offset%8*8)) }

// behind is the offset from a pointer to what is appended next.
func (s structure) behind(pointer int) int { return len(s.in.words) - (s.pointers + pointer) - 1 }

// putText leaves the pointer null where there is no text.
func (s structure) putText(pointer int, text string) {
	if text == "" {
		return
	}
	s.in.words[s.pointers+pointer] = listPointer(s.behind(pointer), elementsBytes, len(text)+1)
	at := len(s.in.words)
	s.in.words = append(s.in.words, make([]uint64, (len(text)+8)/8)...)
	for i := range []byte(text) {
		s.in.words[at+i/8] |= uint64(text[i]) << (i % 8 * 8)
	}
}

// putList makes room for a list of structures, and returns them to be filled.
func (s structure) putList(pointer, count, dataWords, pointerWords int) []structure {
	if count == 0 {
		return nil
	}
	s.in.words[s.pointers+pointer] = listPointer(s.behind(pointer), elementsInline, count*(dataWords+pointerWords))
	s.in.words = append(s.in.words, structurePointer(count, dataWords, pointerWords))
	elements := make([]structure, count)
	for i := range elements {
		elements[i] = s.in.reserve(dataWords, pointerWords)
	}
	return elements
}

// document is a segment that somebody else wrote. The first thing wrong with it stays in err; from then on every
// field reads as its default.
type document struct {
	words []uint64
	err   error
}

// record is a structure in a document. What its writer did not know of reads as zero, as null pointers do.
type record struct {
	from     *document
	data     []uint64
	pointers []int
}

func (d *document) fail(why string) {
	if d.err == nil {
		d.err = errors.New(why)
	}
}

func (d *document) root() record {
	if len(d.words) == 0 {
		d.fail("a payload without a root pointer")
		return record{from: d}
	}
	pointer := d.words[0]
	if pointer&3 != pointsToStructure {
		d.fail("the root is not a structure")
		return record{from: d}
	}
	return d.record(1+offsetOf(pointer), sizeOf(pointer, 32), sizeOf(pointer, 48))
}

func offsetOf(pointer uint64) int         { return int(int32(uint32(pointer)) >> 2) }
func sizeOf(pointer uint64, from int) int { return int(pointer >> from & math.MaxUint16) }

// span is the words from start on, or none where they are not all there.
func (d *document) span(start, count int) []uint64 {
	if d.err != nil || start < 0 || count > len(d.words) || start > len(d.words)-count {
		d.fail("a pointer leads out of the payload")
		return nil
	}
	return d.words[start : start+count]
}

func (d *document) record(start, dataWords, pointerWords int) record {
	if d.span(start, dataWords+pointerWords) == nil {
		return record{from: d}
	}
	found := record{from: d, data: d.words[start : start+dataWords]}
	for i := 0; i < pointerWords; i++ {
		found.pointers = append(found.pointers, start+dataWords+i)
	}
	return found
}

func (r record) get64(word int) uint64 {
	if word >= len(r.data) {
		return 0
	}
	return r.data[word]
}

func (r record) get32(offset int) uint32 { return uint32(r.get64(offset/8) >> (offset % 8 * 8)) }
func (r record) get16(offset int) uint16 { return uint16(r.get64(offset/8) >> (offset % 8 * 8)) }

// target follows a list's pointer: where the list starts and how many elements it has, or words if they are inline.
func (r record) target(pointer int, elements uint64) (start, count int) {
	if pointer >= len(r.pointers) || r.from.words[r.pointers[pointer]] == 0 {
		return 0, 0
	}
	at := r.pointers[pointer]
	word := r.from.words[at]
	if word&3 != pointsToList || word>>32&7 != elements {
		r.from.fail("a pointer to something of another type")
		return 0, 0
	}
	return at + 1 + offsetOf(word), int(word >> 35)
}

func (r record) text(pointer int) string {
	start, count := r.target(pointer, elementsBytes)
	if count == 0 {
		return ""
	}
	words := r.from.span(start, (count+7)/8)
	if words == nil {
		return ""
	}
	bytes := make([]byte, count)
	for i := range bytes {
		bytes[i] = byte(words[i/8] >> (i % 8 * 8))
	}
	if bytes[count-1] != 0 {
		r.from.fail("a text without its NUL")
	}
	return string(bytes[:count-1])
}

func (r record) numbers(pointer int) []uint64 {
	start, count := r.target(pointer, elementsWords)
	if count == 0 {
		return nil
	}
	return r.from.span(start, count)
}

func (r record) list(pointer int) []record {
	start, words := r.target(pointer, elementsInline)
	if start == 0 || r.from.span(start, words+1) == nil {
		return nil
	}
	tag := r.from.words[start]
	count, dataWords, pointerWords := offsetOf(tag), sizeOf(tag, 32), sizeOf(tag, 48)
	if tag&3 != pointsToStructure || count < 0 || count > words || count*(dataWords+pointerWords) > words {
		r.from.fail("a list that is longer than its words")
		return nil
	}
	elements := make([]record, count)
	for i := range elements {
		elements[i] = r.from.record(start+1+i*(dataWords+pointerWords), dataWords, pointerWords)
	}
	return elements
}
