package identity

import (
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/config"
)

type file struct {
	Access   *AccessConfig           `json:"access"`
	Firebase *FirebaseConfig         `json:"firebase"`
	JWT      config.List[JWTConfig]  `json:"jwt"`
	OIDC     config.List[OIDCConfig] `json:"oidc"`
}

// load decodes and validates, and returns what the file became and what is
// wrong with it.
func load(yaml, env string, vars map[string]string) (file, string) {
	var f file
	doc := config.Decode([]byte(yaml), &f, config.Options{Name: "portreeve.yaml",
		Env: func(n string) (string, bool) { v, ok := vars[n]; return v, ok }})
	r, seen := doc.Report(""), map[string]bool{}
	if f.Access != nil {
		f.Access.Validate(r.At("access"), env)
	}
	if f.Firebase != nil {
		f.Firebase.Validate(r.At("firebase"), env)
	}
	ValidateJWT(f.JWT, r.At("jwt"), env, seen)
	for i := range f.OIDC {
		f.OIDC[i].Validate(r.At("oidc"+config.Index(i)), env, seen)
	}
	var all []string
	for _, p := range doc.Problems() {
		all = append(all, p.String())
	}
	return f, strings.Join(all, "\n")
}

const secret32 = "0123456789abcdef0123456789abcdef"

func TestConfig(t *testing.T) {
	t.Parallel()
	vars := map[string]string{"ACCESS_TEAM_DOMAIN": "acme.example", "CF_ACCESS_AUD": "aud-1", "JWT_SECRET": secret32, "FIREBASE_PROJECT_ID": "demo-project"}
	for _, c := range []struct {
		name, yaml, env string
		vars            map[string]string
		want            string // "" for no problem at all
	}{
		{"silent keys are filled", "access: {}\njwt: {}\nfirebase: {}", "prod", vars, ""},
		{"variables bring no key in", "{}", "prod", vars, ""},
		{"access without team", "access: {audience: x}", "prod", nil, "access.teamDomain: is missing"},
		{"access with a URL", "access: {teamDomain: 'https://acme.example', audience: x}", "prod", nil, "without https://"},
		{"access without audience", "access: {teamDomain: acme.example}", "prod", nil, "warning: access.audience: is empty, so access is off"},
		{"certsURL in prod", "access: {teamDomain: acme.example, audience: x, certsURL: 'https://a.example'}", "prod", nil, "access.certsURL: needs"},
		{"certsURL in test", "access: {teamDomain: acme.example, audience: x, certsURL: 'http://127.0.0.1:1/certs'}", "test", nil, ""},
		{"access trusts no tenant", "access: {teamDomain: acme.example, audience: x, trustTenant: true}", "prod", nil, "trustTenant: unknown key"},
		{"an audience that a variable empties", "jwt: {secret: '{{env.JWT_SECRET}}', audience: '{{env.E}}'}", "prod", map[string]string{"JWT_SECRET": secret32, "E": ""}, "jwt.audience: is empty"},
		{"an issuer that a variable empties", "jwt: {secret: '{{env.JWT_SECRET}}', issuer: '{{env.E}}'}", "prod", map[string]string{"JWT_SECRET": secret32, "E": ""}, "jwt.issuer: is empty"},
		{"an empty list of audiences beside an issuer", "jwt: {jwksURL: 'https://a.example/keys', issuer: x, audience: []}", "prod", nil, "jwt.audience: is empty"},
		{"no key", "jwt: {issuer: x}", "prod", nil, "names no key"},
		{"a short secret", "jwt: {secret: '{{env.S}}'}", "prod", map[string]string{"S": "short"}, "jwt.secret: unusable key: an HMAC secret needs at least 32 bytes"},
		{"two origins", "jwt: {secret: " + secret32 + ", jwksURL: 'https://a.example/keys', issuer: x}", "prod", nil, "secret and jwksURL"},
		{"the variable is for who names no key", "jwt: {jwksURL: 'https://a.example/keys', issuer: x}", "prod", vars, ""},
		{"in lists too", "jwt: [{name: a, secrets: ['{{env.JWT_SECRET}}'], issuer: a}, {name: b, jwksURL: 'https://a.example/keys', issuer: b}]", "prod", vars, ""},
		{"public keys need an issuer or audience", "jwt: {jwksURL: 'https://a.example/keys'}", "prod", nil, "needs an issuer or an audience"},
		{"http", "jwt: {jwksURL: 'http://a.example/keys', issuer: x}", "prod", nil, "must be https"},
		{"no PEM", "jwt: {publicKey: hello, issuer: x}", "prod", nil, "jwt.publicKey: unusable key"},
		{"an algorithm of the other kind", "jwt: {secret: '{{env.JWT_SECRET}}', algorithm: RS256}", "prod", vars, "jwt.algorithm: is not one for this kind of key"},
		{"an empty audience", "jwt: {secret: '{{env.JWT_SECRET}}', audience: ['']}", "prod", vars, "is empty"},
		{"several need names", "jwt: [{secrets: ['{{env.JWT_SECRET}}']}, {name: b, jwksURL: 'https://a.example/k', issuer: b}]", "prod", vars, "jwt[0]: needs a name"},
		{"one name twice", "jwt: [{name: b, secrets: ['{{env.JWT_SECRET}}']}, {name: c, jwksURL: 'https://a.example/k', issuer: b}]\noidc: {name: b, issuer: 'https://i.example', audience: x}", "prod", vars, "oidc.name: another provider has this name"},
		{"a kind's word as name", "oidc: [{name: access, issuer: 'https://i.example', audience: x}]", "prod", nil, "choose another"},
		{"oidc needs an audience", "oidc: [{name: a, issuer: 'https://i.example'}]", "prod", nil, "audience"},
		{"sign-in", "oidc: [{name: a, issuer: 'https://i.example', audience: x, clientId: y, scopes: [openid, offline_access]}]", "prod", nil, ""},
		{"a secret without a client", "oidc: [{name: a, issuer: 'https://i.example', audience: x, clientSecret: '{{env.JWT_SECRET}}'}]", "prod", vars, "clientSecret: belongs to a clientId"},
		{"an empty client", "oidc: [{name: a, issuer: 'https://i.example', audience: x, clientId: ''}]", "prod", nil, "clientId: is empty"},
		{"a scope of two words", "oidc: [{name: a, issuer: 'https://i.example', audience: x, clientId: y, scopes: ['openid email']}]", "prod", nil, "scopes[0]: is no scope"},
		{"the name of links", "oidc: [{name: link, issuer: 'https://i.example', audience: x}]", "prod", nil, "choose another"},
		{"http issuer in prod", "oidc: [{name: a, issuer: 'http://i.example', audience: x}]", "prod", nil, "must be https"},
		{"http issuer in dev", "oidc: [{name: a, issuer: 'http://127.0.0.1:9000', audience: x}]", "dev", nil, ""},
		{"every tenant of Entra", "oidc: [{name: a, issuer: 'https://login.microsoftonline.com/common/v2.0', audience: x, trustEmail: {domains: example.com}}]", "prod", nil, "oidc[0].trustEmail: this issuer speaks for every tenant"},
		{"the emulator in prod", "firebase: {projectId: demo-project, emulator: true}", "prod", nil, "takes tokens that nobody signed"},
		{"the emulator in test", "firebase: {projectId: demo-project, emulator: true}", "test", nil, ""},
		{"no project", "firebase: {}", "prod", nil, "firebase.projectId: is missing"},
		{"revocation is later", "firebase: {projectId: demo-project, revocationCheck: 5m}", "prod", nil, "revocationCheck"},
		{"a leeway of a day", "jwt: {secret: '{{env.JWT_SECRET}}', leeway: 24h}", "prod", vars, "longer than 5m"},
		{"a misspelt key", "jwt: {secert: x}", "prod", nil, `did you mean "secret"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, got := load(c.yaml, c.env, c.vars)
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("problems %q do not say %q", got, c.want)
			}
			if strings.Contains(got, secret32) {
				t.Error("a problem quotes the secret")
			}
		})
	}
	f, _ := load("jwt: {}\naccess: {}", "prod", vars)
	if s, ok := f.JWT[0].SigningSecret(); !ok || !s.Equal(secret32) || f.JWT[0].Name != "jwt" || f.Access.Audience[0] != "aud-1" {
		t.Errorf("%+v", f)
	}
	f, _ = load("jwt: {jwksURL: 'https://a.example/keys', issuer: x}", "prod", vars)
	if _, ok := f.JWT[0].SigningSecret(); ok {
		t.Error("the variable became the secret of a provider that has keys")
	}
}

func TestKeySetsOfProviders(t *testing.T) {
	t.Parallel()
	s := site(t, nil, newAccess(), newFirebase(), newHMAC(nil))
	if n := len(s.KeySets()); n != 4 {
		t.Errorf("%d key sets", n)
	}
	if _, err := NewJWT(&JWTConfig{JWKSFile: "none.json", Issuer: "x"}, Deps{Dir: t.TempDir()}); err == nil {
		t.Error("a key file that is not there loads")
	}
}
