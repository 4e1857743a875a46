package properties

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/standin"
)

// identityNames are the headers by which some upstream learns who calls, in one
// spelling each; the last ones are this test's configuration's.
var identityNames = []string{
	"X-Portreeve-Subject", "X-Portreeve-Email", "X-Portreeve-Tenant", "X-Portreeve-Roles", "X-Portreeve-Provider",
	"X-Portreeve-Assertion", "X-Portreeve-Anything", "X-Auth-Request-User", "X-Auth-Request-Email", "X-Auth-Request-Access-Token",
	"X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Groups", "X-Forwarded-Preferred-Username",
	"Remote-User", "Remote-Email", "Remote-Groups", "Remote-Name",
	"Cf-Access-Authenticated-User-Email", "Cf-Access-Token", "X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override", "Proxy",
	"X-Corp-User", "X-Edge-Role", "X-Edge-Maybe",
}

const headersConfig = `
environment: test
tenantApi: false
mfa: false
jwt: {secret: "{{file.jwt-secret}}"}
rbac: {roles: [{name: admin, permissions: ["users:read"]}]}
identityHeaders: x_corp.user
routes:
  - path: /open
    method: any
    upstream:
      url: "@ECHO@"
      accessHeaders: true
      headers: {set: {X-Edge-Role: "{{auth.role}}", X-Edge-Maybe: "{{auth.claims.maybe?}}"}}
  - {path: /plain, method: any, upstream: {url: "@ECHO@"}}
`

// lie is what a client claims; it stands in every value that must not arrive.
const lie = "mallory"

// joints are what may stand for "-" in a header's name. RFC 9110 allows all of
// them, and CGI-style programs take most of them for the same.
var joints = []string{"-", "-", "_", ".", "!", "#", "$", "%", "&", "'", "*", "+", "^", "`", "|", "~", "--", "-_", ""}

// alias spells a header's name as some reader takes for the same one.
func alias(t *rapid.T, name string) string {
	switch rapid.IntRange(0, 3).Draw(t, "case") {
	case 0:
		name = strings.ToLower(name)
	case 1:
		name = strings.ToUpper(name)
	case 2:
		flip := rapid.Uint64().Draw(t, "flip")
		name = strings.Map(func(r rune) rune {
			flip = flip>>1 | flip<<63
			if flip&1 == 1 {
				return rune(strings.ToUpper(string(r))[0])
			}
			return rune(strings.ToLower(string(r))[0])
		}, name)
	}
	parts := strings.Split(name, "-")
	for i := 1; i < len(parts); i++ {
		parts[i] = rapid.SampledFrom(joints[:len(joints)-3]).Draw(t, "joint") + parts[i]
	}
	return strings.Join(parts, "")
}

// forged is a request that claims to be somebody, in headers, in what Connection
// names, and behind its body.
type forged struct {
	fields   []request.Field
	trailers []request.Field // nil: no body
}

func forge(t *rapid.T) (f forged) {
	claim := rapid.Custom(func(t *rapid.T) request.Field {
		return request.Field{Name: alias(t, rapid.SampledFrom(identityNames).Draw(t, "name")), Value: lie}
	})
	f.fields = rapid.SliceOfN(claim, 0, 4).Draw(t, "claims")
	if len(f.fields) > 0 && rapid.Bool().Draw(t, "twice") {
		f.fields = append(f.fields, f.fields[0])
	}
	if rapid.Bool().Draw(t, "connection") {
		named := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
			return alias(t, rapid.SampledFrom(append([]string{"Host", "Authorization", "X-Request-Id", "X-Forwarded-For", "keep-alive"}, identityNames...)).Draw(t, "named"))
		}), 1, 4).Draw(t, "names")
		f.fields = append(f.fields, request.Field{Name: rapid.SampledFrom([]string{"Connection", "connection"}).Draw(t, "spelt"), Value: strings.Join(named, ", ")})
	}
	if rapid.Bool().Draw(t, "body") {
		f.trailers = append([]request.Field{}, rapid.SliceOfN(claim, 0, 3).Draw(t, "trailers")...)
		if len(f.trailers) > 0 && rapid.Bool().Draw(t, "announced") {
			f.fields = append(f.fields, request.Field{Name: "Trailer", Value: f.trailers[0].Name})
		}
	}
	return f
}

// send sends the forgery with a credential, in an order of the generator's.
func (f forged) send(t fataler, c *client, target string, credential []request.Field, last bool) answer {
	t.Helper()
	fields := slices.Concat(credential, f.fields)
	if last {
		fields = slices.Concat(f.fields, credential)
	}
	if f.trailers == nil {
		return c.get(t, "x.test", target, fields...)
	}
	raw := head("POST", "x.test", target, append(fields, request.Field{Name: "Transfer-Encoding", Value: "chunked"})...)
	raw += "\r\n2\r\nhi\r\n0\r\n"
	for _, h := range f.trailers {
		raw += h.Name + ": " + h.Value + "\r\n"
	}
	return c.send(t, "POST", raw+"\r\n")
}

// told is what the application learned about the caller: every variable but
// those that say how the request was framed and named.
func told(r *standin.Received) map[string]string {
	out := map[string]string{}
	for name, value := range r.CGI {
		switch name {
		case "REQUEST_METHOD", "HTTP_X_REQUEST_ID", "HTTP_TRANSFER_ENCODING", "CONTENT_LENGTH":
		default:
			out[name] = value
		}
	}
	return out
}

// TestP2IdentityDependsOnThePrincipalAlone: whatever a client sends beside its
// credential, in whatever spelling and place, the application is told what the
// credential says.
func TestP2IdentityDependsOnThePrincipalAlone(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		k := newKeys(t)
		d := start(t, e, headersConfig, k.files())
		c := d.client(t)
		type caller struct {
			name, target string
			credential   []request.Field
			truth        map[string]string
		}
		var callers []caller
		for _, target := range []string{"/open", "/plain"} { // the second one sets no headers of its own
			callers = append(callers, caller{name: "", target: target},
				caller{name: "alice", target: target, credential: bearer(k.hs256(t, map[string]any{"sub": "alice", "email": "alice@example.com", "role": "admin"}))},
				caller{name: "bob", target: target, credential: bearer(k.hs256(t, map[string]any{"sub": "bob", "tenant_id": "acme", "maybe": "yes"}))})
		}
		for i := range callers {
			a := c.get(t, "x.test", callers[i].target, callers[i].credential...)
			if a.saw == nil {
				t.Fatalf("%s: %d %s", callers[i].name, a.status, a.body)
			}
			callers[i].truth = told(a.saw)
			if subject := a.saw.CGI["HTTP_X_PORTREEVE_SUBJECT"]; subject != callers[i].name {
				t.Fatalf("%q is said to be %q", callers[i].name, subject)
			}
		}
		rapid.Check(t, func(t *rapid.T) {
			f, last := forge(t), rapid.Bool().Draw(t, "credential last")
			for _, who := range callers {
				a := f.send(t, c, who.target, who.credential, last)
				switch {
				case a.saw == nil && a.status == 400: // Connection or Trailer that names what it may not
				case a.saw == nil:
					t.Fatalf("%q with %+v: %d %s", who.name, f, a.status, a.body)
				default:
					if diff := cmp.Diff(who.truth, told(a.saw)); diff != "" {
						t.Fatalf("%q at %s with %+v: the application was told otherwise (-without +with):\n%s", who.name, who.target, f, diff)
					}
					if whole, _ := json.Marshal(a.saw); strings.Contains(string(whole), lie) || len(a.saw.Trailers) > 0 {
						t.Fatalf("%q with %+v: arrived as %s", who.name, f, whole)
					}
				}
			}
		})
		if s := d.echo.strangers(); len(s) > 0 {
			t.Errorf("the application got requests that nobody sent: %q", s)
		}
	})
}

// TestP2CredentialsStayHere: what a caller proves itself with is Portreeve's
// alone to see; the other cookies and schemes pass.
func TestP2CredentialsStayHere(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		w := newWorld(t)
		d := w.start(t, e)
		c := d.client(t)
		for _, kind := range w.kinds(t) {
			for _, around := range []string{"%s", "a=1; %s", "%s; b=2", "a=1;%s;b=2", "a=1;  %s ;b=2"} {
				fields := kind.present(kind.token)
				for i := range fields {
					if fields[i].Name == "Cookie" {
						fields[i].Value = fmt.Sprintf(around, fields[i].Value)
					}
				}
				a := c.get(t, "x.test", "/open", fields...)
				if a.status != 200 || a.saw == nil {
					t.Fatalf("%s: %d %s", kind.name, a.status, a.body)
				}
				whole, _ := json.Marshal(a.saw)
				if strings.Contains(string(whole), kind.token) || len(a.saw.Header("Authorization")) > 0 {
					t.Errorf("%s: the application got the credential: %s", kind.name, whole)
				}
				if got := strings.Join(a.saw.Header("Cookie"), "|"); strings.Contains(around, "a=1") && fields[0].Name == "Cookie" && !strings.Contains(got, "a=1") {
					t.Errorf("%s: the application's own cookie is gone: %q", kind.name, got)
				}
			}
		}
	})
}
