package identity

import (
	"encoding/json"
	"math"
	"strings"
	"time"
)

// claims is a token's payload with the types that the rules need. Nothing in it
// is verified.
type claims struct {
	issuer     string
	subject    string
	audience   []string
	expires    instant
	notBefore  instant
	issuedAt   instant
	authTime   instant
	email      string
	verified   bool // email_verified is exactly true
	commonName string
	kind       string // Access's type; "" when absent
	hasKind    bool
	scopes     []string
	groups     []string

	all map[string]any
	raw []byte
}

// instant is a NumericDate (RFC 7519 section 2) or its absence.
type instant struct {
	at  time.Time
	set bool
}

// readClaims gives the claims that count their types. A claim of another type
// is an error and not an absence: a rule that looks for it would not see it.
// The text of the error names the claim and quotes nothing.
func readClaims(all map[string]any, raw []byte) (*claims, string) {
	r := reader{all: all}
	c := &claims{
		issuer:     r.text("iss", false),
		subject:    r.text("sub", false),
		audience:   r.texts("aud"),
		expires:    r.date("exp", math.Floor),
		notBefore:  r.date("nbf", math.Ceil),
		issuedAt:   r.date("iat", math.Ceil),
		authTime:   r.date("auth_time", math.Ceil),
		email:      r.text("email", true),
		verified:   all["email_verified"] == true,
		commonName: r.text("common_name", true),
		scopes:     r.words("scope"),
		groups:     r.texts("groups"),
		all:        all,
		raw:        raw,
	}
	// type has a meaning in Access's tokens alone; elsewhere it is anybody's claim
	// and may be of any type. Access takes no other than the text "app".
	kind, there := all["type"]
	c.kind, _ = kind.(string)
	c.hasKind = there
	return c, r.wrong
}

// reader takes claims out of a payload and keeps the first complaint.
type reader struct {
	all   map[string]any
	wrong string
}

func (r *reader) bad(name, why string) {
	if r.wrong == "" {
		r.wrong = "claim " + name + " " + why
	}
}

// text is a claim that is one string. Some issuers write null for what they do
// not know: where that is allowed, it is an absence.
func (r *reader) text(name string, orNull bool) string {
	v, there := r.all[name]
	if !there || v == nil && orNull {
		return ""
	}
	s, ok := v.(string)
	if !ok {
		r.bad(name, "is not a string")
		return ""
	}
	return r.clean(name, s)
}

// clean refuses control characters: these texts go into headers and logs.
func (r *reader) clean(name, s string) string {
	if hasControl(s) {
		r.bad(name, "holds control characters")
		return ""
	}
	return s
}

// texts is a claim that is one string or an array of strings.
func (r *reader) texts(name string) []string {
	switch v := r.all[name].(type) {
	case nil:
		return nil
	case string:
		return []string{r.clean(name, v)}
	case []any:
		out := make([]string, 0, len(v))
		for _, x := range v {
			s, ok := x.(string)
			if !ok {
				r.bad(name, "holds something other than strings")
				return nil
			}
			out = append(out, r.clean(name, s))
		}
		return out
	}
	r.bad(name, "is neither a string nor an array of strings")
	return nil
}

// words is a claim that is a list separated by spaces (RFC 8693 section 4.2),
// or an array.
func (r *reader) words(name string) []string {
	var out []string
	for _, s := range r.texts(name) {
		out = append(out, strings.Fields(s)...)
	}
	return out
}

// date reads a NumericDate. Fractions are rounded to the side on which the
// token is good for less. Years far outside ours are refused before they
// overflow anything.
func (r *reader) date(name string, round func(float64) float64) instant {
	v, there := r.all[name]
	if !there {
		return instant{}
	}
	n, ok := v.(json.Number)
	if !ok {
		r.bad(name, "is not a number")
		return instant{}
	}
	f, err := n.Float64()
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) || math.Abs(f) > 1<<40 {
		r.bad(name, "is not a finite time")
		return instant{}
	}
	return instant{at: time.Unix(int64(round(f)), 0), set: true}
}

func hasControl(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] == 0x7f {
			return true
		}
	}
	return false
}
