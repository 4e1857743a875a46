package standin

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// CastleOptions are the choices of NewCastle.
type CastleOptions struct {
	APISecret string
	Now       func() time.Time // nil means time.Now
}

// Castle is api.castle.io as an application's server meets it: /v1/filter and
// /v1/risk. Fields, statuses and error types are those of Castle's API reference
// and of what its SDKs send.
type Castle struct {
	*site
	record
	mishaps
	o CastleOptions

	mu      sync.Mutex
	minted  map[string]time.Time
	used    map[string]bool // token, endpoint, type and status
	actions map[string]string
}

// castleTokenLife is how long a request token counts.
const castleTokenLife = 120 * time.Second

// NewCastle answers on l until Close. It allows everybody until Act says otherwise.
func NewCastle(l net.Listener, o CastleOptions) *Castle {
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Castle{site: newSite(l), o: o, minted: map[string]time.Time{}, used: map[string]bool{}, actions: map[string]string{}}
	mux := http.NewServeMux()
	for _, path := range []string{"/v1/filter", "/v1/risk"} {
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
			s, err := c.receive(r)
			if err != nil {
				panic(http.ErrAbortHandler)
			}
			if !c.fail(w, r) {
				c.judge(w, r, s)
			}
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if s, err := c.receive(r); err == nil && !c.fail(w, r) {
			c.complain(s, "there is no such endpoint")
			http.NotFound(w, r)
		}
	})
	c.serve(l, mux)
	return c
}

// Token is a request token as Castle's script in an application makes it.
func (c *Castle) Token() string {
	t := "stand-in-" + unique() + unique()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.minted[t] = c.o.Now()
	return t
}

// Act sets the policy's action, "allow", "challenge" or "deny": for an e-mail, or
// for a user id at /v1/risk; for all where who is "".
func (c *Castle) Act(who, action string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.actions[strings.ToLower(who)] = action
}

// castleStatuses are the statuses of each type that Castle recognises, of those
// that a login edge sends.
var castleStatuses = map[string][]string{
	"$login":        {"$attempted", "$succeeded", "$failed"},
	"$registration": {"$attempted", "$succeeded", "$failed"},
	"$challenge":    {"$requested", "$succeeded", "$failed"},
	"$custom":       {""},
}

// castleShapes are the payloads that Castle's own SDKs type. The keys that end
// the checks of token and context (skip_…) are not among them: nobody here may.
var castleShapes = map[string]shape{
	"/v1/filter": {"type request_token context:object", castleAlways + " params:object user:object matching_user_id"},
	"/v1/risk":   {"type request_token context:object user:object", castleAlways},
}

const castleAlways = "status name properties:object product:object session:object authentication_method:object created_at sent_at"

// castleMembers are those of the objects among the parameters.
var castleMembers = map[string][]string{
	"params":  {"email", "phone", "username"},
	"user":    {"id", "email", "phone", "registered_at", "traits", "name", "address"},
	"context": {"ip", "headers", "library"},
}

// judge checks an event and answers with the policy's action.
func (c *Castle) judge(w http.ResponseWriter, r *http.Request, s *Sent) {
	c.heads(s, "Authorization")
	user, password, ok := r.BasicAuth()
	if !ok || user != "" || password != c.o.APISecret {
		c.complain(s, "the API secret is wrong, or has a user name")
		reply(w, http.StatusUnauthorized, map[string]string{"type": "unauthorized", "message": "Unauthorized"})
		return
	}
	if wrong := c.wrong(s); wrong != "" {
		c.complain(s, "%s", wrong)
		castleError(w, "bad_request", wrong)
		return
	}
	if reason := c.spend(s); reason != "" {
		castleError(w, "invalid_request_token", reason)
		return
	}
	reply(w, http.StatusCreated, map[string]any{
		"risk": 0.25, "scores": map[string]any{}, "signals": map[string]any{"new_device": map[string]any{}},
		"policy": map[string]string{"action": c.action(s), "id": "2ee938c8-24c2-4c26-9d25-19511dd75029", "revision_id": "900b183a-9f6d-4579-8c47-9ddcccf637b4", "name": "of the stand-in"},
		"device": map[string]string{"token": "eyJhbGciOiJIUzI1NiJ9.c3RhbmQtaW4.AA", "fingerprint": "stand-in"},
	})
}

// wrong is what does not fit, "" where all does.
func (c *Castle) wrong(s *Sent) string {
	if c.check(s, castleShapes[s.Path]) != "" {
		return "a parameter is missing"
	}
	kind, status := s.Text("type"), s.Text("status")
	statuses, known := castleStatuses[kind]
	switch {
	case !known || !slices.Contains(statuses, status):
		return "type " + kind + " has no status " + status
	case (kind == "$custom") != (s.Text("name") != ""):
		return "name goes with $custom"
	case s.Path == "/v1/risk" && member(s.Params, "user", "id") == "":
		return "user.id is missing"
	}
	context, _ := s.Params["context"].(map[string]any)
	for object, takes := range castleMembers {
		members, _ := s.Params[object].(map[string]any)
		for name := range members {
			if !slices.Contains(takes, name) {
				c.complain(s, "%s.%s is unknown", object, name)
			}
		}
	}
	if ip, _ := context["ip"].(string); !address(ip) {
		return "context.ip is no address"
	}
	return c.headersOf(s, context["headers"])
}

// headersOf checks context.headers: an object, or a list of pairs where a name
// stands there twice. What is secret was put out of them.
func (c *Castle) headersOf(s *Sent, headers any) string {
	pairs := [][2]any{}
	switch h := headers.(type) {
	case map[string]any:
		for k, v := range h {
			pairs = append(pairs, [2]any{k, v})
		}
	case []any:
		for _, e := range h {
			pair, _ := e.([]any)
			if len(pair) != 2 {
				return "context.headers holds what is no pair"
			}
			pairs = append(pairs, [2]any{pair[0], pair[1]})
		}
	default:
		return "context.headers is missing"
	}
	for _, p := range pairs {
		name, _ := p[0].(string)
		_, text := p[1].(string)
		switch {
		case name == "" || !text && p[1] != true:
			return "context.headers holds what is no header"
		case text && slices.ContainsFunc([]string{"cookie", "authorization", "proxy-authorization", "set-cookie"}, func(n string) bool { return strings.EqualFold(n, name) }):
			return "context.headers holds " + name + " with its value"
		}
	}
	return ""
}

// spend reports why a token does not count. One sign-in sends its token at each of
// its stages; at the same stage it counts once.
func (c *Castle) spend(s *Sent) string {
	token := s.Text("request_token")
	c.mu.Lock()
	defer c.mu.Unlock()
	made, ok := c.minted[token]
	if !ok || c.o.Now().Sub(made) > castleTokenLife {
		return "Invalid Request Token"
	}
	stage := strings.Join([]string{token, s.Path, s.Text("type"), s.Text("status")}, "\x00")
	if c.used[stage] {
		c.complain(s, "a request token was sent twice")
		return "Invalid Request Token"
	}
	c.used[stage] = true
	return ""
}

func (c *Castle) action(s *Sent) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, who := range []string{member(s.Params, "user", "id"), member(s.Params, "params", "email"), member(s.Params, "user", "email"), ""} {
		if a, ok := c.actions[strings.ToLower(who)]; ok {
			return a
		}
	}
	return "allow"
}

func castleError(w http.ResponseWriter, kind, reason string) {
	reply(w, http.StatusUnprocessableEntity, map[string]string{"type": kind, "message": reason})
}

// member is a text inside of an object.
func member(m map[string]any, object, name string) string {
	inner, _ := m[object].(map[string]any)
	v, _ := inner[name].(string)
	return v
}

func address(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}
