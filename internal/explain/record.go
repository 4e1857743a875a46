package explain

import (
	"crypto/rand"
	"encoding/hex"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/portreeve/portreeve/internal/trace"
)

const (
	maxText  = 1024 // bytes of one text in a record
	maxSteps = 100  // steps of a record
)

// Record is one decision, as GET /explain/{id} answers it.
type Record struct {
	ID        string       `json:"id"` // of NewID, also in X-Portreeve-Decision
	Time      time.Time    `json:"time"`
	Site      string       `json:"site"`
	Route     string       `json:"route,omitempty"` // the pattern; "" when none was found
	Method    string       `json:"method"`
	Path      string       `json:"path"` // the pattern where it holds a secret
	Status    int          `json:"status"`
	Reason    string       `json:"reason,omitempty"` // the fault's code
	Client    netip.Addr   `json:"client,omitzero"`
	Principal string       `json:"principal,omitempty"` // "" when anonymous
	Tenant    string       `json:"tenant,omitempty"`    // the caller's; of the anonymous the site's; "" for none
	UserID    string       `json:"userId,omitempty"`    // of the caller's users row
	KeyID     string       `json:"keyId,omitempty"`     // of the key or machine token that was shown
	RequestID string       `json:"requestId,omitempty"`
	Steps     []trace.Step `json:"steps"`
}

// NewID makes the id of a decision or a request: 128 random bits in
// hexadecimal, so that none looks like a flag on a command line.
func NewID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails; it ends the process instead (crypto/rand)
	return hex.EncodeToString(b[:])
}

// Denied returns the first check that did not hold.
func (r Record) Denied() (trace.Step, bool) {
	for _, s := range r.Steps {
		if !s.OK {
			return s, true
		}
	}
	return trace.Step{}, false
}

// kept is the record as the ring holds it: its own memory, and not much.
func (r Record) kept() Record {
	for _, s := range []*string{&r.ID, &r.Site, &r.Route, &r.Method, &r.Path, &r.Reason, &r.Principal, &r.Tenant, &r.UserID, &r.KeyID, &r.RequestID} {
		*s = cut(*s)
	}
	steps := make([]trace.Step, 0, min(len(r.Steps), maxSteps))
	for i, s := range r.Steps {
		// The last step is the one that explains a refusal.
		if i >= maxSteps-1 && i != len(r.Steps)-1 {
			continue
		}
		steps = append(steps, trace.Step{
			Stage: cut(s.Stage), Check: cut(s.Check), Wanted: cut(s.Wanted), Found: cut(s.Found), OK: s.OK, Enough: cut(s.Enough),
		})
	}
	r.Steps = steps
	return r
}

// cut copies a text, shortened at a character's edge.
func cut(s string) string {
	if len(s) <= maxText {
		return strings.Clone(s)
	}
	end := maxText
	for end > maxText-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
