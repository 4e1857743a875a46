package proxy

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// frame makes one of a WebSocket.
func frame(op byte, masked bool, size int) []byte {
	b := []byte{0x80 | op, 0}
	switch {
	case size < 126:
		b[1] = byte(size)
	case size < 1<<16:
		b[1] = 126
		b = binary.BigEndian.AppendUint16(b, uint16(size))
	default:
		b[1] = 127
		b = binary.BigEndian.AppendUint64(b, uint64(size))
	}
	if masked {
		b[1] |= 0x80
		b = append(b, 1, 2, 3, 4)
	}
	return append(b, make([]byte, size)...)
}

// However the bytes are cut, a close may stand exactly where a frame ended.
func TestAFramesEndIsFound(t *testing.T) {
	t.Parallel()
	var all []byte
	ends := map[int]bool{0: true}
	for i, size := range []int{0, 1, 125, 126, 65535, 65536, 3, 0} {
		all = append(all, frame(byte(1+i%2), i%2 == 1, size)...)
		ends[len(all)] = true
	}
	for _, step := range []int{1, 2, 7, 1000, len(all)} {
		var f frames
		at := 0
		for at < len(all) {
			p := all[at:min(at+step, len(all))]
			for len(p) > 0 {
				n := f.next(p)
				if n == 0 {
					t.Fatal("no progress")
				}
				at, p = at+n, p[n:]
				if f.between() != ends[at] {
					t.Fatalf("by %d: at %d between is %t", step, at, f.between())
				}
			}
		}
		if f.closed {
			t.Error("a close was seen that never was")
		}
	}
}

func TestWhatIsNoFrameHasNoEnd(t *testing.T) {
	t.Parallel()
	var f frames
	p := []byte{0x82, 127, 0xff, 0, 0, 0, 0, 0, 0, 1, 'x', 'y'}
	for len(p) > 0 {
		p = p[f.next(p):]
	}
	if f.between() {
		t.Error("a close may stand behind a length that no frame has")
	}
}

func TestCloseFrames(t *testing.T) {
	t.Parallel()
	if got := closeFrame(1001, false); !bytes.Equal(got, []byte{0x88, 2, 0x03, 0xe9}) {
		t.Errorf("% x", got)
	}
	got := closeFrame(1001, true)
	if len(got) != 8 || got[1] != 0x82 || got[6]^got[2] != 0x03 || got[7]^got[3] != 0xe9 {
		t.Errorf("% x", got)
	}
	var f frames
	if f.next(got) != 8 || !f.closed || !f.between() {
		t.Error("our own close is not seen as one")
	}
}

func FuzzFrames(f *testing.F) {
	f.Add(frame(1, true, 200), uint8(3))
	f.Add([]byte{0x88, 0xff, 0xff, 0xff}, uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, step uint8) {
		var whole, cut frames
		for p := b; len(p) > 0; {
			p = p[whole.next(p):]
		}
		for p := b; len(p) > 0; {
			q := p[:min(len(p), int(step)+1)]
			p = p[len(q):]
			for len(q) > 0 {
				q = q[cut.next(q):]
			}
		}
		if whole != cut {
			t.Fatalf("whole %+v, cut %+v", whole, cut)
		}
	})
}
