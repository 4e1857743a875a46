package standin

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"time"
)

// ServiceToken is a program's way into an Access team: a client id and secret,
// presented in CF-Access-Client-Id and CF-Access-Client-Secret.
type ServiceToken struct{ ID, Secret string }

// AccessOptions are the choices of NewAccess.
type AccessOptions struct {
	Team          string // team domain: acme.cloudflareaccess.com
	Audience      string // of the one application behind it
	ServiceTokens []ServiceToken
	Lifetime      time.Duration    // of a token; 0 means ten minutes
	Now           func() time.Time // nil means time.Now
	// RSA gives each signing key; nil means a new one, which takes a while to make.
	RSA func() *rsa.PrivateKey
}

// Access is a Cloudflare Access team with one application. Its tokens name the
// team's real https origin as their issuer, as Access does; the listener is
// plain HTTP on loopback, so Portreeve needs `access.certsURL` to find the keys.
type Access struct {
	*site
	ring
	o AccessOptions
}

// NewAccess answers on l until Close. Like a real team it publishes two keys
// from the start: the one that signs, and one that was rotated out.
func NewAccess(l net.Listener, o AccessOptions) (*Access, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Lifetime == 0 {
		o.Lifetime = 10 * time.Minute
	}
	a := &Access{site: newSite(l), ring: ring{rsa: o.RSA}, o: o}
	if err := a.begin("RS256"); err != nil {
		return nil, err
	}
	if err := a.Rotate(); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /cdn-cgi/access/certs", a.certs)
	mux.HandleFunc("GET /cdn-cgi/access/get-identity", a.whoIs)
	mux.HandleFunc("POST /cdn-cgi/access/get-identity", a.exchange)
	a.serve(l, mux)
	return a, nil
}

// Issuer is the iss of the team's tokens.
func (a *Access) Issuer() string { return "https://" + a.o.Team }

// CertsURL is where the team's keys are, for `access.certsURL`.
func (a *Access) CertsURL() string { return a.URL() + "/cdn-cgi/access/certs" }

// Mint signs the token of a person who signed in, in the shape of Access's own
// application tokens. extra goes over it; a nil claim is left out.
func (a *Access) Mint(email string, extra map[string]any) (string, error) {
	now := a.o.Now()
	return a.sign(extra, map[string]any{
		"type":           "app",
		"aud":            []string{a.o.Audience},
		"iss":            a.Issuer(),
		"sub":            personID(email),
		"email":          email,
		"iat":            now.Unix(),
		"nbf":            now.Unix(),
		"exp":            now.Add(a.o.Lifetime).Unix(),
		"identity_nonce": unique()[:16],
		"country":        "NL",
	})
}

// MintService signs the token of a program: known by common_name, with an empty
// sub and no e-mail.
func (a *Access) MintService(id string) (string, error) {
	now := a.o.Now()
	return a.sign(nil, map[string]any{
		"type":        "app",
		"aud":         a.o.Audience,
		"iss":         a.Issuer(),
		"sub":         "",
		"common_name": id,
		"iat":         now.Unix(),
		"exp":         now.Add(a.o.Lifetime).Unix(),
	})
}

type certificate struct {
	Kid  string `json:"kid"`
	Cert string `json:"cert"`
}

// certs answers in Access's own shape: the keys as a JWK set and once more as
// certificates, the newest also under public_cert.
func (a *Access) certs(w http.ResponseWriter, _ *http.Request) {
	pems := []certificate{}
	for _, k := range a.known() {
		c, err := a.selfSigned(k)
		if err != nil {
			reply(w, http.StatusInternalServerError, map[string]string{"error": "cannot make a certificate"})
			return
		}
		pems = append(pems, c)
	}
	reply(w, http.StatusOK, struct {
		Keys        []json.RawMessage `json:"keys"`
		PublicCert  certificate       `json:"public_cert"`
		PublicCerts []certificate     `json:"public_certs"`
	}{a.published(), pems[0], pems})
}

func (a *Access) selfSigned(k ringKey) (certificate, error) {
	now := a.o.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: a.o.Team},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(60 * 24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.private.Public(), k.private)
	if err != nil {
		return certificate{}, err
	}
	return certificate{k.id, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}, nil
}
