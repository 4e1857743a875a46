package proxy

import (
	"crypto/rand"
	"encoding/binary"
)

// frames follows one direction of a WebSocket from frame to frame (RFC 6455
// section 5.2): a close of ours may stand between two, never inside one. It
// looks at nothing but where frames end.
type frames struct {
	head   [14]byte
	have   int // bytes of a frame's head so far
	left   uint64
	closed bool // a close frame went by
	lost   bool // this is no WebSocket any more: there is no between
}

// between reports whether a frame of ours may stand here.
func (f *frames) between() bool { return f.have == 0 && f.left == 0 && !f.lost }

// next follows p up to the end of the frame that it is in, and returns how many
// bytes that took.
func (f *frames) next(p []byte) int {
	n := 0
	for n < len(p) {
		if f.lost {
			return len(p)
		}
		if f.left > 0 {
			k := min(f.left, uint64(len(p)-n))
			n += int(k)
			if f.left -= k; f.left == 0 {
				return n
			}
			continue
		}
		f.head[f.have] = p[n]
		f.have++
		n++
		if f.begun() && f.left == 0 {
			return n
		}
	}
	return n
}

// begun reads the head once it is whole.
func (f *frames) begun() bool {
	if f.have < 2 {
		return false
	}
	size, length := 2, uint64(f.head[1]&0x7f)
	switch length {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	if f.head[1]&0x80 != 0 {
		size += 4
	}
	if f.have < size {
		return false
	}
	switch length {
	case 126:
		length = uint64(binary.BigEndian.Uint16(f.head[2:]))
	case 127:
		length = binary.BigEndian.Uint64(f.head[2:])
	}
	f.lost = length>>63 != 0
	f.closed = f.closed || f.head[0]&0x0f == opClose
	f.left, f.have = length, 0
	return true
}

const opClose = 8

// closeFrame says why a WebSocket ends. A client's frames are masked (section
// 5.3): toward an upstream we are one.
func closeFrame(code uint16, masked bool) []byte {
	b := []byte{0x80 | opClose, 2, byte(code >> 8), byte(code)}
	if !masked {
		return b
	}
	var key [4]byte
	_, _ = rand.Read(key[:]) // never fails
	return []byte{b[0], 0x80 | b[1], key[0], key[1], key[2], key[3], b[2] ^ key[0], b[3] ^ key[1]}
}
