package standin

import (
	"crypto/rsa"
	"crypto/tls"
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// Auth0Options are the choices of NewAuth0.
type Auth0Options struct {
	// Clients are the tenant's applications. One with Audiences may ask for
	// those by the client credentials grant; Scopes are what it then gets.
	Clients []Client
	// Audiences are the tenant's APIs, without its own two (/mfa/, /api/v2/).
	Audiences  []string
	Connection string   // the database connection; Username-Password-Authentication where ""
	Callbacks  []string // where /authorize may return to
	// Social says who signs in by a social connection, at once and unasked.
	Social map[string]string
	People []Person
	// Lifetime of an access token; 0 means a day, as Auth0 has it.
	Lifetime time.Duration
	TLS      *tls.Config // where set, the stand-in speaks https
	// Plain, where set, is one more way to the same tenant, without TLS: for who
	// cannot be told to trust a test's certificate. The tenant's name stays URL.
	Plain net.Listener
	Now   func() time.Time // nil means time.Now
	// RSA gives each signing key; nil means a new one, which takes a while to make.
	RSA func() *rsa.PrivateKey
}

// Auth0 is an Auth0 tenant as an application meets it: the Authentication API,
// the MFA API, and of the Management API what a login edge asks for. Its
// parameters, statuses and error bodies are those of Auth0's own documentation
// (Authentication API reference; Manage authenticator factors by the MFA API)
// and, where that is silent, of Auth0's client libraries' tests.
type Auth0 struct {
	*site
	ring
	record
	mishaps
	o     Auth0Options
	plain *site // of Options.Plain

	mu      sync.Mutex
	people  map[string]*account // by folded e-mail
	refresh map[string]given    // live refresh tokens
	spent   map[string]given    // rotated ones: their use ends the family
	codes   map[string]given    // of /authorize
	mfa     map[string]*pending // by mfa_token
	oob     map[string]*outOfBand
	mails   []Mail
	texts   []MFAText
}

// Mail is an e-mail that the tenant would have sent.
type Mail struct{ To, Kind string } // "reset", "verify"

// MFAText is a code on its way to a telephone.
type MFAText struct{ To, Code string }

// NewAuth0 answers on l until Close.
func NewAuth0(l net.Listener, o Auth0Options) (*Auth0, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Lifetime == 0 {
		o.Lifetime = 24 * time.Hour
	}
	if o.Connection == "" {
		o.Connection = "Username-Password-Authentication"
	}
	a := &Auth0{site: newSite(l), ring: ring{rsa: o.RSA}, o: o, people: map[string]*account{}, refresh: map[string]given{}, spent: map[string]given{},
		codes: map[string]given{}, mfa: map[string]*pending{}, oob: map[string]*outOfBand{}}
	if o.TLS != nil {
		l, a.url = tls.NewListener(l, o.TLS), "https://"+l.Addr().String()
	}
	if err := a.begin("RS256"); err != nil {
		return nil, err
	}
	for _, p := range o.People {
		a.Add(p)
	}
	a.serve(l, a.received())
	if o.Plain != nil {
		a.plain = newSite(o.Plain)
		a.plain.serve(o.Plain, a.received())
	}
	return a, nil
}

// Close ends the tenant.
func (a *Auth0) Close() error {
	if a.plain != nil {
		_ = a.plain.Close()
	}
	return a.site.Close()
}

// Issuer is the iss of the tenant's tokens, with the slash that Auth0's has.
func (a *Auth0) Issuer() string { return a.URL() + "/" }

type auth0Call func(w http.ResponseWriter, r *http.Request, s *Sent)

// received records every request, fails where it was told to, and answers.
func (a *Auth0) received() http.Handler {
	routes := map[string]auth0Call{
		"POST /oauth/token":                     a.token,
		"POST /oauth/revoke":                    a.revoke,
		"POST /dbconnections/signup":            a.signup,
		"POST /dbconnections/change_password":   a.changePassword,
		"GET /userinfo":                         a.userinfo,
		"GET /authorize":                        a.authorize,
		"POST /mfa/associate":                   a.associate,
		"GET /mfa/authenticators":               a.authenticators,
		"DELETE /mfa/authenticators/{id}":       a.removeAuthenticator,
		"POST /mfa/challenge":                   a.challenge,
		"POST /api/v2/jobs/verification-email":  a.verificationEmail,
		"GET /api/v2/users-by-email":            a.usersByEmail,
		"GET /.well-known/jwks.json":            a.keySet,
		"GET /.well-known/openid-configuration": a.discovery,
	}
	mux := http.NewServeMux()
	for pattern, h := range routes {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			s, err := a.receive(r)
			if err != nil {
				panic(http.ErrAbortHandler)
			}
			a.fields(s)
			if !a.fail(w, r) {
				h(w, r, s)
			}
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if s, err := a.receive(r); err == nil && !a.fail(w, r) {
			a.complain(s, "there is no such endpoint")
			http.Error(w, "Not found.", http.StatusNotFound)
		}
	})
	return mux
}

// fields checks the head. auth0-forwarded-for is one address.
func (a *Auth0) fields(s *Sent) {
	switch s.Path {
	case "/oauth/token":
		a.heads(s, "Auth0-Forwarded-For", "Auth0-Client")
	case "/oauth/revoke", "/dbconnections/signup", "/dbconnections/change_password", "/mfa/challenge":
		a.heads(s, "Auth0-Forwarded-For", "Auth0-Client")
	case "/authorize": // a browser's own
	default:
		a.heads(s, "Auth0-Forwarded-For", "Auth0-Client", "Authorization")
	}
	for _, v := range s.Header.Values("Auth0-Forwarded-For") {
		if _, err := netip.ParseAddr(v); err != nil {
			a.complain(s, "auth0-forwarded-for is %q", v)
		}
	}
}

func (a *Auth0) client(id string) (Client, bool) {
	i := slices.IndexFunc(a.o.Clients, func(c Client) bool { return c.ID == id })
	if i < 0 {
		return Client{}, false
	}
	return a.o.Clients[i], true
}

// authentic reports whether the client is one and has its secret right.
func (a *Auth0) authentic(s *Sent) bool {
	c, ok := a.client(s.Text("client_id"))
	if !ok || c.Secret != s.Text("client_secret") {
		a.complain(s, "the client's id or secret is wrong")
		return false
	}
	return true
}

func (a *Auth0) keySet(w http.ResponseWriter, _ *http.Request, _ *Sent) {
	reply(w, http.StatusOK, map[string][]json.RawMessage{"keys": a.published()})
}

func (a *Auth0) discovery(w http.ResponseWriter, _ *http.Request, _ *Sent) {
	reply(w, http.StatusOK, map[string]any{
		"issuer":                                a.Issuer(),
		"authorization_endpoint":                a.URL() + "/authorize",
		"token_endpoint":                        a.URL() + "/oauth/token",
		"userinfo_endpoint":                     a.URL() + "/userinfo",
		"mfa_challenge_endpoint":                a.URL() + "/mfa/challenge",
		"jwks_uri":                              a.URL() + "/.well-known/jwks.json",
		"revocation_endpoint":                   a.URL() + "/oauth/revoke",
		"response_types_supported":              []string{"code"},
		"code_challenge_methods_supported":      []string{"S256", "plain"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
	})
}

// Mails are the e-mails that were asked for.
func (a *Auth0) Mails() []Mail {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.mails)
}

// Texts are the messages that were sent to telephones.
func (a *Auth0) Texts() []MFAText {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.texts)
}

func bearer(s *Sent) string {
	scheme, token, _ := strings.Cut(s.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return token
}

// oauthError is an error as the token and MFA endpoints write it.
func oauthError(w http.ResponseWriter, status int, code, reason string) {
	reply(w, status, map[string]string{"error": code, "error_description": reason})
}
