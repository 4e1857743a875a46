package standin

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// TurnstileOptions are the choices of NewTurnstile.
type TurnstileOptions struct {
	Secret string
	Now    func() time.Time // nil means time.Now
}

// Turnstile is challenges.cloudflare.com as an application's server meets it: the
// siteverify endpoint, with the members and error codes of its documentation.
type Turnstile struct {
	*site
	record
	mishaps
	o TurnstileOptions

	mu     sync.Mutex
	solved map[string]challenge
}

type challenge struct {
	hostname, action string
	at               time.Time
	spent            bool
}

// tokenLife is how long a token counts.
const tokenLife = 300 * time.Second

// NewTurnstile answers on l until Close.
func NewTurnstile(l net.Listener, o TurnstileOptions) *Turnstile {
	if o.Now == nil {
		o.Now = time.Now
	}
	t := &Turnstile{site: newSite(l), o: o, solved: map[string]challenge{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /siteverify", func(w http.ResponseWriter, r *http.Request) {
		s, err := t.receive(r)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		if !t.fail(w, r) {
			t.verify(w, s)
		}
	})
	t.serve(l, mux)
	return t
}

// Solve is the token of a person on a page of a host.
func (t *Turnstile) Solve(hostname, action string) string {
	token := "0." + unique() + unique()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.solved[token] = challenge{hostname: hostname, action: action, at: t.o.Now()}
	return token
}

func (t *Turnstile) verify(w http.ResponseWriter, s *Sent) {
	t.heads(s)
	missing := t.check(s, shape{needs: "secret response", takes: "remoteip idempotency_key"})
	refuse := func(code string) {
		reply(w, http.StatusOK, map[string]any{"success": false, "error-codes": []string{code}, "messages": []string{}})
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	token := s.Text("response")
	c, known := t.solved[token]
	switch {
	case missing == "secret":
		refuse("missing-input-secret")
	case s.Text("secret") != t.o.Secret:
		refuse("invalid-input-secret")
	case missing == "response":
		refuse("missing-input-response")
	case !known:
		refuse("invalid-input-response")
	case c.spent || t.o.Now().Sub(c.at) > tokenLife:
		refuse("timeout-or-duplicate")
	default:
		c.spent = true
		t.solved[token] = c
		reply(w, http.StatusOK, map[string]any{"success": true, "challenge_ts": c.at.UTC().Format(time.RFC3339), "hostname": c.hostname,
			"error-codes": []string{}, "action": c.action, "cdata": "", "metadata": map[string]any{"interactive": false}})
	}
}
