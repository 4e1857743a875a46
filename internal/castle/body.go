package castle

import (
	"encoding/json"

	"github.com/portreeve/portreeve/internal/request"
)

const (
	filterPath = "/v1/filter"
	riskPath   = "/v1/risk"
)

// body is what Castle is sent.
type body struct {
	Type    string       `json:"type"`
	Status  string       `json:"status,omitempty"`
	Name    string       `json:"name,omitempty"`
	Token   string       `json:"request_token,omitempty"`
	Context surroundings `json:"context"`
	Params  *params      `json:"params,omitempty"`
	User    *user        `json:"user,omitempty"`
}

type surroundings struct {
	IP      string         `json:"ip,omitempty"`
	Headers map[string]any `json:"headers"` // a text, or true for what was scrubbed
}

type params struct {
	Email string `json:"email"`
}

type user struct {
	ID    string `json:"id"`
	Email string `json:"email,omitempty"`
}

// filter is the body of an event about somebody who says to be so.
func (e Event) filter(token string) []byte {
	b := e.body(token)
	if e.Email != "" {
		b.Params = &params{e.Email}
	}
	return b.text()
}

// risk is the body of an event about somebody who is known.
func (e Event) risk(token string) []byte {
	b := e.body(token)
	b.User = &user{e.UserID, e.Email}
	return b.text()
}

func (e Event) body(token string) body {
	b := body{Type: e.Type, Status: e.Status, Name: e.Name, Token: token, Context: surroundings{Headers: scrub(e.Headers)}}
	if e.IP.IsValid() {
		b.Context.IP = e.IP.Unmap().WithZone("").String()
	}
	return b
}

func (b body) text() []byte {
	t, _ := json.Marshal(b) // texts and true
	return t
}

// scrub are a request's headers as Castle may see them: under each name once, and
// without what speaks for somebody.
func scrub(h request.Header) map[string]any {
	out := make(map[string]any, len(h))
	names := map[string]string{} // folded → as written first
	for _, f := range h {
		folded := request.Fold(f.Name)
		name, again := names[folded]
		if !again {
			name = f.Name
			names[folded] = name
		}
		switch before, text := out[name].(string); {
		case credential(folded):
			out[name] = true
		case again && text:
			out[name] = before + ", " + f.Value
		default:
			out[name] = f.Value
		}
	}
	return out
}

// credential reports whether a header holds one. Cookie and Authorization are what
// Castle's own SDKs scrub; the others are of the same kind, and the device token
// stands in its own place.
func credential(folded string) bool {
	switch folded {
	case "cookie", "cookie2", "set-cookie", "authorization", "proxy-authorization", "x-api-key", "x-auth-token",
		"cf-access-jwt-assertion", "cf-access-client-secret", "x-castle-request-token":
		return true
	}
	return false
}
