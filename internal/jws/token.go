package jws

import "strings"

// MaxToken is the longest token that is looked at, in bytes.
const MaxToken = 16 << 10

// Token is a parsed token. Nothing in it may be believed before Verify has
// returned nil for a key that the caller chose.
type Token struct {
	Header  Header
	Payload []byte // the payload's bytes, decoded; not necessarily JSON

	input     []byte // what was signed: header and payload as they were sent
	signature []byte
}

// Parse reads the compact form (RFC 7515 section 7.1): three parts of canonical
// base64url, at most 16 KiB, a header that is one JSON object with a known alg
// and none of crit and b64. It verifies nothing. The shape is checked before
// anything is allocated. Errors are ErrMalformed or ErrAlgorithm.
func Parse(compact string) (*Token, error) { return parse(compact, knownType) }

// ParseLogout reads a logout token as Parse reads others: its typ is absent or
// logout+jwt (OpenID Connect Back-Channel Logout 1.0 section 2.4), so that no
// other token is taken for one that says what it is.
func ParseLogout(compact string) (*Token, error) { return parse(compact, logoutType) }

// ParseAs reads a token of one typ, which no other parser here takes for its own,
// and whose parser takes no other.
func ParseAs(compact, typ string) (*Token, error) {
	return parse(compact, func(got string) bool { return asciiFold(shortType(got), typ) })
}

func parse(compact string, typ func(string) bool) (*Token, error) {
	header, payload, signature, err := parts(compact)
	if err != nil {
		return nil, err
	}
	signed := len(header) + 1 + len(payload)
	room := make([]byte, 0, signed+size64(header)+size64(payload)+size64(signature))
	room = append(room, compact[:signed]...)
	room = append64(room, header)
	atPayload := len(room)
	room = append64(room, payload)
	atSignature := len(room)
	room = append64(room, signature)

	head, err := parseHeader(room[signed:atPayload], typ)
	if err != nil {
		return nil, err
	}
	return &Token{
		Header:    head,
		Payload:   room[atPayload:atSignature:atSignature],
		input:     room[:signed:signed],
		signature: room[atSignature:],
	}, nil
}

// parts splits the text and checks each part's spelling; it allocates only its
// errors.
func parts(compact string) (header, payload, signature string, err error) {
	if len(compact) > MaxToken {
		return "", "", "", malformed("longer than %d bytes", MaxToken)
	}
	first := strings.IndexByte(compact, '.')
	last := strings.LastIndexByte(compact, '.')
	if first == last {
		return "", "", "", malformed("not three parts")
	}
	header, payload, signature = compact[:first], compact[first+1:last], compact[last+1:]
	if strings.IndexByte(payload, '.') >= 0 {
		return "", "", "", malformed("more than three parts")
	}
	if header == "" || signature == "" {
		return "", "", "", malformed("an empty header or signature")
	}
	if !canonical64(header) || !canonical64(payload) || !canonical64(signature) {
		return "", "", "", malformed("not canonical base64url")
	}
	return header, payload, signature, nil
}
