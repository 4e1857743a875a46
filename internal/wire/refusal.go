package wire

// Refusal says why a request is answered and its connection closed before
// anything else looks at it. It is the error of this package.
type Refusal struct {
	// Status is 400, or 405 for CONNECT, 408 for a head that did not arrive in
	// time (the engine's clock, not this package's), 431 for a head too large,
	// 501 for an unknown transfer coding, 505 for an unknown HTTP version.
	Status int
	// Reason is fixed text, safe to show: it never quotes the request.
	Reason string
}

func (r *Refusal) Error() string { return r.Reason }

func bad(reason string) *Refusal { return &Refusal{Status: 400, Reason: reason} }

// The defaults of Limits.
const (
	DefaultHeadBytes = 64 << 10
	DefaultHeaders   = 100
)

// Limits bound a request head. A zero field means its default.
type Limits struct {
	HeadBytes int // of request line, fields and the empty line together
	Headers   int // how many fields
}

func (l Limits) headBytes() int {
	if l.HeadBytes > 0 {
		return l.HeadBytes
	}
	return DefaultHeadBytes
}

func (l Limits) headers() int {
	if l.Headers > 0 {
		return l.Headers
	}
	return DefaultHeaders
}
