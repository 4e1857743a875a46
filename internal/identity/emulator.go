package identity

import (
	"encoding/base64"
	"strings"

	"github.com/portreeve/portreeve/internal/jws"
)

// parseUnsigned reads a token of the Firebase Auth emulator: the compact form
// with alg "none" and an empty signature (RFC 7515 appendix A.5). It exists for
// providers with the emulator switch alone, which take no other token; the
// strict parser knows no such form.
func parseUnsigned(compact string) (payload []byte, why string) {
	header, rest, _ := strings.Cut(compact, ".")
	body, signature, three := strings.Cut(rest, ".")
	if len(compact) > jws.MaxToken || !three || signature != "" {
		return nil, "not a token of the emulator: three parts, the last one empty"
	}
	strict := base64.RawURLEncoding.Strict()
	if strings.ContainsAny(compact, "\r\n") { // which the decoder would skip
		return nil, "not base64url"
	}
	h, err := strict.DecodeString(header)
	if err != nil {
		return nil, "not base64url"
	}
	if payload, err = strict.DecodeString(body); err != nil {
		return nil, "not base64url"
	}
	head, err := jws.DecodeClaims(h)
	if err != nil || head["alg"] != "none" {
		return nil, "not a token of the emulator: its alg is not none"
	}
	if typ, there := head["typ"]; there && typ != "JWT" {
		return nil, "its typ is not JWT"
	}
	if _, crit := head["crit"]; crit {
		return nil, "crit is not supported"
	}
	return payload, ""
}
