package session

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/jws"
)

// rogue is a provider that does as a test says: rotation with reuse detection, as
// strict as any, and lies where it is told to.
type rogue struct {
	*httptest.Server
	now    func() time.Time
	signer *jws.Signer

	mu        sync.Mutex
	codes     map[string]url.Values // what was asked for, by code
	refresh   map[string]string     // subject by the token that counts; "" of one that was spent
	lie       func(claims map[string]any)
	forge     func(honest string) string // instead of the ID token
	subject   string
	life      time.Duration
	down      bool
	noID      bool // at refresh
	refreshes int
	reused    int
	basic     bool // the last client spoke Basic
	extra     map[string]any
	handed    []string // whatever nobody else may read
}

func newRogue(t testing.TB, now func() time.Time) *rogue {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jws.NewSigner("EdDSA", "k1", key)
	if err != nil {
		t.Fatal(err)
	}
	r := &rogue{now: now, signer: signer, codes: map[string]url.Values{}, refresh: map[string]string{}, subject: "alice", life: time.Minute}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		respond(w, 200, map[string]any{"issuer": r.URL, "jwks_uri": r.URL + "/jwks", "authorization_endpoint": r.URL + "/authorize", "token_endpoint": r.URL + "/token",
			"end_session_endpoint": r.URL + "/end", "authorization_response_iss_parameter_supported": true, "token_endpoint_auth_methods_supported": []string{"client_secret_basic"}})
	})
	mux.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) {
		respond(w, 200, map[string]any{"keys": []json.RawMessage{signer.JWK()}})
	})
	mux.HandleFunc("POST /token", r.token)
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.mu.Lock()
		down := r.down
		r.mu.Unlock()
		if down {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		mux.ServeHTTP(w, q)
	}))
	t.Cleanup(r.Close)
	return r
}

func respond(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// set changes what the provider does.
func (r *rogue) set(fn func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fn()
}

// authorize is what a browser comes back with from the authorization endpoint.
func (r *rogue) authorize(t testing.TB, to string) url.Values {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if q.Get("code_challenge_method") != "S256" || q.Get("response_type") != "code" || len(q.Get("state")) != 43 || len(q.Get("nonce")) != 43 {
		t.Fatalf("asked with %v", q)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	code := random()
	r.codes[code] = q
	r.handed = append(r.handed, code, q.Get("state"), q.Get("nonce"))
	return url.Values{"state": {q.Get("state")}, "code": {code}, "iss": {r.URL}}
}

func (r *rogue) token(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id, secret, basic := q.BasicAuth()
	r.basic = basic
	if id != "portreeve" || secret != "s3cret" {
		respond(w, 401, map[string]string{"error": "invalid_client"})
		return
	}
	claims := map[string]any{}
	switch q.PostFormValue("grant_type") {
	case "authorization_code":
		asked, ok := r.codes[q.PostFormValue("code")]
		delete(r.codes, q.PostFormValue("code"))
		sum := sha256.Sum256([]byte(q.PostFormValue("code_verifier")))
		if !ok || asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) || asked.Get("redirect_uri") != q.PostFormValue("redirect_uri") {
			respond(w, 400, map[string]string{"error": "invalid_grant"})
			return
		}
		claims["nonce"] = asked.Get("nonce")
	case "refresh_token":
		r.refreshes++
		token := q.PostFormValue("refresh_token")
		if subject, known := r.refresh[token]; subject == "" {
			if known {
				r.reused++
			}
			respond(w, 400, map[string]string{"error": "invalid_grant"})
			return
		}
		r.refresh[token] = ""
	default:
		respond(w, 400, map[string]string{"error": "unsupported_grant_type"})
		return
	}
	next := random()
	r.refresh[next] = r.subject
	access := random()
	r.handed = append(r.handed, next, access, q.PostFormValue("code_verifier"))
	out := map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": int(r.life / time.Second), "refresh_token": next}
	if !r.noID || claims["nonce"] != nil {
		out["id_token"] = r.id(claims, access)
	}
	respond(w, 200, out)
}

// id mints an ID token; the caller holds mu.
func (r *rogue) id(more map[string]any, access string) string {
	claims := map[string]any{"iss": r.URL, "sub": r.subject, "aud": "portreeve", "iat": r.now().Unix(), "exp": r.now().Add(max(r.life, 5*time.Minute)).Unix(),
		"email": r.subject + "@example.com", "email_verified": true, "sid": "sid-1", "auth_time": r.now().Unix()}
	sum := sha512sum(access)
	claims["at_hash"] = base64.RawURLEncoding.EncodeToString(sum[:32])
	maps.Copy(claims, r.extra)
	maps.Copy(claims, more)
	if r.lie != nil {
		r.lie(claims)
	}
	honest, err := r.signer.Sign("JWT", claims)
	if err != nil {
		panic(err)
	}
	r.handed = append(r.handed, honest, honest[strings.LastIndex(honest, ".")+1:])
	if r.forge != nil {
		return r.forge(honest)
	}
	return honest
}
