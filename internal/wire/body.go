package wire

// MaxTrailer bounds a trailer section in bytes, its empty line included.
// net/http looks no further than its 4 KiB buffer.
const MaxTrailer = 4 << 10

// maxSizeDigits bounds a chunk size to 60 bits, so that no reader overflows.
const maxSizeDigits = 15

// Body counts a request's body to its end, without keeping any of it. The
// zero Body is an empty one.
type Body struct {
	left    int64 // of the known length, or of the chunk
	state   chunkState
	digits  int
	fields  int
	trailer int
	line    []byte // the trailer line so far
	limits  Limits
}

type chunkState uint8

const (
	plainLength chunkState = iota // Content-Length, or no body
	chunkSize
	chunkSizeLF
	chunkData
	chunkDataCR
	chunkDataLF
	trailerLine
	trailerLF
	chunkEnd
)

// Body returns the counter for the body that follows the head.
func (h *Head) Body(l Limits) Body {
	if h.Chunked {
		return Body{state: chunkSize, limits: l}
	}
	return Body{left: max(h.ContentLength, 0)}
}

// Known returns how many bytes are still to come of a body of known length,
// or -1 of a chunked one.
func (b *Body) Known() int64 {
	if b.state == plainLength {
		return b.left
	}
	return -1
}

// Done reports whether the body has ended: the next byte begins a head.
func (b *Body) Done() bool {
	return b.state == chunkEnd || b.state == plainLength && b.left == 0
}

// Take says how many leading bytes of p belong to the body, chunk framing
// included. It takes less than all of p only when the body is Done behind
// them, or with a *Refusal (400 or 431) for the byte after them; no more must
// be taken then.
func (b *Body) Take(p []byte) (n int, err error) {
	for n < len(p) && !b.Done() {
		if b.state == plainLength || b.state == chunkData {
			k := min(b.left, int64(len(p)-n))
			b.left -= k
			n += int(k)
			if b.state == chunkData && b.left == 0 {
				b.state = chunkDataCR
			}
			continue
		}
		if r := b.step(p[n]); r != nil {
			return n, r
		}
		n++
	}
	return n, nil
}
