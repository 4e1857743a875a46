package identity

import (
	"regexp"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/keyset"
	"github.com/portreeve/portreeve/internal/secret"
)

// FirebaseConfig is a Firebase project whose users sign in.
type FirebaseConfig struct {
	// ProjectID is the project.
	ProjectID string `json:"projectId" conf:"env=FIREBASE_PROJECT_ID"`
	// ClientEmail is the service account's; it is for revocationCheck.
	ClientEmail string `json:"clientEmail" conf:"env=FIREBASE_CLIENT_EMAIL"`
	// PrivateKey is the service account's; it is for revocationCheck.
	PrivateKey secret.Value `json:"privateKey" conf:"env=FIREBASE_PRIVATE_KEY"`
	// OpenSignUp false says that not anybody can get an account, so that its users count wherever requireAuth stands alone.
	OpenSignUp *bool `json:"openSignUp"`
	// Emulator takes the unsigned tokens of the Firebase emulator, and no others. Test and dev only.
	Emulator bool `json:"emulator"`
	TrustRules
	TimeRules
}

// LaterKeys names what is not in this release.
func (FirebaseConfig) LaterKeys() map[string]string {
	return map[string]string{"revocationCheck": "asking Firebase whether a token was revoked"}
}

// projectID is what Google gives out: letters, digits, hyphens; older ones
// have a domain before a colon.
var projectID = regexp.MustCompile(`^[a-z0-9][a-z0-9.:-]{2,62}$`)

// Validate reports what is wrong with the settings. env is as Deps.Env.
func (c *FirebaseConfig) Validate(r *config.Reporter, env string) {
	switch {
	case c.ProjectID == "":
		r.Errorf("projectId", "is missing; set it, or FIREBASE_PROJECT_ID")
	case !projectID.MatchString(c.ProjectID):
		r.Errorf("projectId", "is not a project id")
	}
	if c.Emulator && !relaxed(env) {
		r.Errorf("emulator", "takes tokens that nobody signed; it needs `environment: test` or `dev` in the file")
	}
	c.TrustRules.validate(r)
	c.TimeRules.validate(r)
}

// Where Google publishes the keys, as JWK Sets: of ID tokens, and of session
// cookies (identitytoolkit v1 getSessionCookiePublicKeys).
const (
	firebaseTokens       = "https://securetoken.google.com/"
	firebaseTokenKeys    = "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com"
	firebaseSessions     = "https://session.firebase.google.com/"
	firebaseSessionsKeys = "https://identitytoolkit.googleapis.com/v1/sessionCookiePublicKeys"
)

// NewFirebase builds the provider from valid settings.
func NewFirebase(c *FirebaseConfig, d Deps) *Provider {
	p := &Provider{
		Name: KindFirebase, Kind: KindFirebase, source: bearer, algs: []string{"RS256"},
		OpenSignUp: c.OpenSignUp == nil || *c.OpenSignUp,
		audience:   []string{c.ProjectID}, extra: firebaseRules,
		keyed: []keyed{{issuer: firebaseTokens + c.ProjectID}, {issuer: firebaseSessions + c.ProjectID}},
	}
	c.TimeRules.apply(p, defaultMaxAge)
	c.TrustRules.apply(p, false, true)
	if c.Emulator && relaxed(d.Env) {
		p.unsigned, p.algs = true, []string{"none"}
		return p.seal(d.Env, "emulator")
	}
	p.keyed[0].keys = d.keySet(keyset.Config{Name: KindFirebase, URL: firebaseTokenKeys})
	p.keyed[1].keys = d.keySet(keyset.Config{Name: KindFirebase + " session cookies", URL: firebaseSessionsKeys})
	return p.seal(d.Env, firebaseTokenKeys, firebaseSessionsKeys)
}

// firebaseRules are those of firebase.google.com/docs/auth/admin/verify-id-tokens
// beyond the common ones.
func firebaseRules(p *Provider, c *claims, now time.Time) *refusal {
	switch {
	case c.subject == "" || len(c.subject) > 128:
		return malformed("sub is not of 1 to 128 characters")
	case !c.authTime.set:
		return malformed("no auth_time")
	case c.authTime.at.After(now.Add(p.leeway)):
		return &refusal{code: CodeNotYetValid, check: "auth_time", wanted: "in the past",
			found: c.authTime.at.UTC().Format(time.RFC3339), enough: "a clock that is right"}
	}
	return nil
}
