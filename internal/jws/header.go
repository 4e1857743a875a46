package jws

import (
	"bytes"
	"strings"
)

// Header is what a token's protected header says that matters here. It is
// unverified until Token.Verify has succeeded.
type Header struct {
	Alg string // one of RS, PS, ES or HS with 256, 384, 512, or EdDSA
	Kid string // "" when absent
	Typ string // as written; "" when absent
}

// maxMembers bounds the members of a header, whose names are compared pairwise.
const maxMembers = 32

// headerReader collects the members that matter and the names seen so far.
type headerReader struct {
	reader
	head   Header
	typ    func(string) bool // which are taken
	hasAlg bool
	names  [maxMembers][]byte
	count  int
}

func parseHeader(b []byte, typ func(string) bool) (Header, error) {
	h := &headerReader{reader: reader{b: b}, typ: typ}
	h.blanks()
	if h.peek() != '{' {
		return Header{}, malformed("the header is not a JSON object")
	}
	if err := h.object(h.member); err != nil {
		return Header{}, err
	}
	if err := h.end(); err != nil {
		return Header{}, err
	}
	if !h.hasAlg {
		return Header{}, malformed("the header names no algorithm")
	}
	return h.head, nil
}

func (h *headerReader) member(name []byte) error {
	if err := h.once(name); err != nil {
		return err
	}
	switch string(name) {
	case "alg":
		return h.readAlg()
	case "kid":
		kid, err := h.readText()
		h.head.Kid = string(kid)
		return err
	case "typ":
		typ, err := h.readText()
		if err == nil && !h.typ(string(typ)) {
			return malformed("the header's typ is not that of such a token")
		}
		h.head.Typ = string(typ)
		return err
	case "crit", "b64":
		return malformed("the header asks for an extension (crit, b64)")
	}
	_, err := h.value()
	return err
}

func (h *headerReader) once(name []byte) error {
	for _, seen := range h.names[:h.count] {
		if bytes.Equal(seen, name) {
			return malformed("a member name stands twice in the header")
		}
	}
	if h.count == maxMembers {
		return malformed("more than %d members in the header", maxMembers)
	}
	h.names[h.count] = name
	h.count++
	return nil
}

func (h *headerReader) readAlg() error {
	name, err := h.readText()
	if err != nil {
		return err
	}
	h.hasAlg = true
	for i := range algorithms {
		if algorithms[i].name == string(name) {
			h.head.Alg = algorithms[i].name
			return nil
		}
	}
	return ErrAlgorithm
}

func (h *headerReader) readText() ([]byte, error) {
	h.blanks()
	return h.text()
}

// knownType reports whether typ says JWT (RFC 7519 section 5.1) or at+jwt
// (RFC 9068 section 2.1). These are media types: case does not count and
// "application/" may be left out (RFC 7515 section 4.1.9).
func knownType(typ string) bool {
	typ = shortType(typ)
	return asciiFold(typ, "jwt") || asciiFold(typ, "at+jwt")
}

func logoutType(typ string) bool { return asciiFold(shortType(typ), "logout+jwt") }

func shortType(typ string) string {
	const prefix = "application/"
	if len(typ) > len(prefix) && strings.EqualFold(typ[:len(prefix)], prefix) {
		return typ[len(prefix):]
	}
	return typ
}

// asciiFold compares s with lower, which is lower-case ASCII. strings.EqualFold
// alone would also fold U+212A and the like.
func asciiFold(s, lower string) bool {
	return len(s) == len(lower) && strings.EqualFold(s, lower)
}
