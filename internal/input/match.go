package input

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/request"
)

// ErrChanged refuses a change of something that is not any more what it was made
// from. Compared by errors.Is.
var ErrChanged = fault.New(fault.PreconditionFailed, "changed_meanwhile", "It was changed since it was read: read it again")

// Tag is the strong entity tag (RFC 9110 section 8.8.3) of a thing as callers see
// it: a digest, so that no column has to count changes. What counts by itself (uses
// of a key, users of a role) is not to be in view: every change of something that
// is in use would be refused.
func Tag(view any) string {
	raw, err := json.Marshal(view)
	if err != nil {
		return "" // what cannot be shown matches nothing
	}
	sum := sha256.Sum256(raw)
	return `"` + hex.EncodeToString(sum[:16]) + `"`
}

// WithTag is the answer of a GET with the thing's tag. Answers to changes have none:
// what they were sent is not what is stored (RFC 9110 section 9.3.4).
func WithTag(reply request.Reply, tag string) request.Reply {
	if tag != "" {
		reply.Header = append(reply.Header, request.Field{Name: "ETag", Value: tag})
	}
	return reply
}

// Match is what If-Match asks for (RFC 9110 section 13.1.1). The zero Match asks
// for nothing: whoever does not send the field overwrites, as ever.
type Match struct {
	set, any bool
	tags     []string
}

// MatchOf reads If-Match. A field that is none matches nothing: the change that it
// was to guard is refused, and not made without its guard.
func MatchOf(v *request.View) Match {
	lines := v.Header.Values("If-Match")
	if len(lines) == 0 {
		return Match{}
	}
	text := strings.Join(lines, ",")
	if trimmed(text) == "*" {
		return Match{set: true, any: true}
	}
	tags, ok := entityTags(text)
	if !ok {
		tags = nil
	}
	return Match{set: true, tags: tags}
}

// Is returns ErrChanged where a thing that has the tag is not what was asked for. A
// rule calls it in the transaction that writes, in the tenant's turn, after it has
// found the thing: of two changes that were made from the same, one gets through.
func (m Match) Is(tag string) error {
	if !m.set || m.any || slices.Contains(m.tags, tag) {
		return nil
	}
	return ErrChanged
}

// entityTags lists the strong tags of a list, with their quotes: weak ones match
// nothing here (strong comparison, RFC 9110 section 8.8.3.2).
func entityTags(s string) (out []string, ok bool) {
	for {
		s = strings.TrimLeft(s, " \t,")
		if s == "" {
			return out, true
		}
		rest, weak := strings.CutPrefix(s, "W/")
		end := tagEnd(rest)
		if end == 0 {
			return nil, false
		}
		if !weak {
			out = append(out, rest[:end])
		}
		s = strings.TrimLeft(rest[end:], " \t")
		if s != "" && s[0] != ',' {
			return nil, false
		}
	}
}

// tagEnd is where the opaque tag ends that s begins with; 0 where it begins with none.
func tagEnd(s string) int {
	if s == "" || s[0] != '"' {
		return 0
	}
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return i + 1
		case c < 0x21 || c == 0x7f: // etagc: no blanks, no controls
			return 0
		}
	}
	return 0
}

func trimmed(s string) string { return strings.Trim(s, " \t") }
