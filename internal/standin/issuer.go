package standin

import (
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"time"
)

// Client is a program that the issuer gives tokens to by the client
// credentials grant (RFC 6749 section 4.4).
type Client struct {
	ID, Secret string
	Audiences  []string       // which `resource` it may ask for; the first one unasked
	Scopes     []string       // which scopes it may ask for; all of them unasked
	Claims     map[string]any // put into every token of its, over the standard ones but iss, aud, exp, iat, jti
}

// IssuerOptions are the choices of NewIssuer.
type IssuerOptions struct {
	Clients  []Client
	Alg      string           // RS256 (also when ""), ES256 or EdDSA
	Lifetime time.Duration    // of a token; 0 means ten minutes
	Now      func() time.Time // nil means time.Now
}

// Issuer is an OpenID Connect issuer: discovery, key set, and a token endpoint
// for programs. It has no authorization endpoint, and its discovery document
// says so (RFC 8414 section 2: required only where a grant uses it).
type Issuer struct {
	*site
	ring
	o   IssuerOptions
	out atomic.Bool
	// fetched counts answers of the key set, to show single flight and back-off.
	fetched atomic.Int64
}

// NewIssuer answers on l until Close. Its name is its origin, http://host:port.
func NewIssuer(l net.Listener, o IssuerOptions) (*Issuer, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Lifetime == 0 {
		o.Lifetime = 10 * time.Minute
	}
	i := &Issuer{site: newSite(l), o: o}
	if err := i.begin(o.Alg); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", i.discovery)
	mux.HandleFunc("GET /jwks", i.keySet)
	mux.HandleFunc("POST /token", i.token)
	i.serve(l, i.unlessOut(mux))
	return i, nil
}

// Outage makes every answer 503 until it is called with false.
func (i *Issuer) Outage(out bool) { i.out.Store(out) }

// Fetched is how often the key set was asked for, outages not counted.
func (i *Issuer) Fetched() int { return int(i.fetched.Load()) }

// Mint signs a token. iss, iat, exp, sub ("someone") and jti are filled in where
// claims has none; a claim that is nil is left out, so that a test can ask for a
// token that lacks one.
func (i *Issuer) Mint(claims map[string]any) (string, error) {
	now := i.o.Now()
	return i.sign(claims, map[string]any{
		"iss": i.URL(),
		"sub": "someone",
		"iat": now.Unix(),
		"exp": now.Add(i.o.Lifetime).Unix(),
		"jti": unique(),
	})
}

func (i *Issuer) unlessOut(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if i.out.Load() {
			reply(w, http.StatusServiceUnavailable, map[string]string{"error": "temporarily_unavailable"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (i *Issuer) discovery(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{
		"issuer":                                i.URL(),
		"jwks_uri":                              i.URL() + "/jwks",
		"token_endpoint":                        i.URL() + "/token",
		"grant_types_supported":                 []string{"client_credentials"},
		"response_types_supported":              []string{},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{i.alg},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
		"scopes_supported":                      i.scopes(),
	})
}

func (i *Issuer) scopes() []string {
	all := []string{}
	for _, c := range i.o.Clients {
		all = append(all, c.Scopes...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (i *Issuer) keySet(w http.ResponseWriter, _ *http.Request) {
	i.fetched.Add(1)
	reply(w, http.StatusOK, map[string][]json.RawMessage{"keys": i.published()})
}
