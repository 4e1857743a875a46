package jws

// DecodeClaims reads a token's payload as a claims set (RFC 7519 section 4): a
// JSON object of at most 16 KiB, valid UTF-8, no member name twice at any
// depth, nesting at most 32. Numbers stay json.Number. A cnf claim (RFC 7800)
// is refused: the token is bound to a key whose possession nobody proves here,
// and taking it as a bearer token would undo that. The error is ErrMalformed.
func DecodeClaims(payload []byte) (map[string]any, error) {
	claims, err := DecodeObject(payload, MaxToken)
	if err != nil {
		return nil, err
	}
	if _, bound := claims["cnf"]; bound {
		return nil, malformed("a cnf claim binds the token to a key, which is not supported")
	}
	return claims, nil
}
