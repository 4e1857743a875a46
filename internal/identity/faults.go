package identity

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
)

// The codes of the faults that Identify returns. All but the last three are
// fault.Unauthenticated (401). The store of keys has codes of its own.
const (
	CodeExpired        = "token_expired"
	CodeNotYetValid    = "token_not_yet_valid"
	CodeTooLongLived   = "token_too_long_lived" // exp further ahead than maxTokenAge
	CodeUnknownKey     = "unknown_key"
	CodeWrongAudience  = "wrong_audience"
	CodeWrongIssuer    = "wrong_issuer"
	CodeUnknownIssuer  = "unknown_issuer"
	CodeWrongAlgorithm = "wrong_algorithm"
	CodeBadSignature   = "bad_signature"
	CodeMalformed      = "malformed_token"
	CodeWrongType      = "wrong_token_type"
	CodeNoKeys         = "keys_not_taken" // a key where the site takes none
	CodeSessionEnded   = "session_ended"  // a cookie that is no session, or none any more

	CodeDuplicate         = "duplicate_credential" // 400
	CodeTenantConflict    = "tenant_conflict"      // 403
	CodeIssuerUnavailable = "issuer_unavailable"   // 503
)

// descriptions are what a caller reads about a token that was refused: the
// class, and nothing of the token or of the configuration.
var descriptions = map[string]string{
	CodeExpired:        "the token is expired",
	CodeNotYetValid:    "the token is not yet valid",
	CodeTooLongLived:   "the token is valid for longer than is accepted here",
	CodeUnknownKey:     "unknown key",
	CodeWrongAudience:  "wrong audience",
	CodeWrongIssuer:    "wrong issuer",
	CodeUnknownIssuer:  "unknown issuer",
	CodeWrongAlgorithm: "algorithm not accepted",
	CodeBadSignature:   "bad signature",
	CodeMalformed:      "malformed token",
	CodeWrongType:      "wrong type of token",
	CodeNoKeys:         "keys of this kind are not taken here",
	CodeSessionEnded:   "the session has ended",
}

// absent are the codes of 401s that are not about a credential that is bad.
var absent = []string{"authentication_required", "unauthenticated", "wrong_provider"}

// Challenge is the WWW-Authenticate value for a 401 (RFC 6750 section 3): with
// the reason when a credential was presented and is bad, plain otherwise.
func Challenge(f *fault.Error) string {
	if f == nil || f.Code == "" || slices.Contains(absent, f.Code) {
		return "Bearer"
	}
	d, ok := descriptions[f.Code]
	if !ok { // the store's word about a key or a caller
		d = "the credential does not count"
	}
	return `Bearer error="invalid_token", error_description=` + strconv.Quote(d)
}

// refuse makes the 401 for a credential that is present and bad. The caller
// reads the kind's own text; why is for the log.
func refuse(code, why string) *fault.Error {
	return fault.Wrap(fault.Unauthenticated, code, "", errors.New(why))
}

func duplicate(what string) *fault.Error {
	return fault.New(fault.BadRequest, CodeDuplicate, "More than one "+what)
}

// unavailable says that the keys of a provider are not to be had: its tokens
// can be neither believed nor called bad.
func unavailable(err error) *fault.Error {
	f := fault.Wrap(fault.Unavailable, CodeIssuerUnavailable, "issuer unavailable", err)
	f.RetryAfter = 5 * time.Second
	return f
}
