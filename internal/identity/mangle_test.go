package identity

import (
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/request"
)

// P6: any change of a token and any cut is refused, for every kind of
// credential, also while the whole token is remembered.
func TestAnyChangeIsRefused(t *testing.T) {
	t.Parallel()
	for _, p := range subjects() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			s := site(t, NewMemory(0), p.make())
			any := must(s.Accept([]string{p.make().Kind}))
			token := mint(p.signer(), p.body())
			refused := func(what, mangled string) {
				if mangled == token {
					return
				}
				r, _ := asking(t, s, Ask{View: p.send(mangled), Now: clock, Accept: any})
				if r.Fault == nil || r.Who.Authenticated() {
					t.Errorf("%s is accepted: %+v", what, r)
				}
			}
			if r, _ := asking(t, s, Ask{View: p.send(token), Now: clock, Accept: any}); !r.Who.Authenticated() {
				t.Fatal(r.Fault)
			}
			for i := range len(token) {
				refused("a cut", token[:i])
				refused("a cut at the front", token[i+1:])
			}
			for i := 0; i < len(token); i++ {
				for bit := range 7 {
					b := []byte(token)
					b[i] ^= 1 << bit
					refused("a flipped bit", string(b))
				}
			}
			for _, more := range []string{"=", "A", ".", ".A", "\n", " x", "\x00"} {
				refused("something behind it", token+more)
			}
			head, rest, _ := strings.Cut(token, ".")
			refused("another header", base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))+"."+rest)
			refused("no signature", token[:strings.LastIndexByte(token, '.')+1])
			refused("parts swapped", rest+"."+head)
		})
	}
}

// P3: garbage in any place that is read is a refusal or no credential, never a
// principal, and never a panic.
func TestGarbageIsNobody(t *testing.T) {
	t.Parallel()
	enc := base64.RawURLEncoding.EncodeToString
	corpus := []string{
		"", ".", "..", "...", "null", "{}", "[]", "eyJ", "a.b.c", strings.Repeat(".", 20_000), strings.Repeat("A", 20_000),
		"%00", "\xff\xfe", "\x00.\x00.\x00", "'; drop table users; --", "{{auth.sub}}", "undefined", "true",
	}
	for _, h := range []string{`{"alg":"none"}`, `{"alg":"HS256"}`, `{"alg":"RS256","kid":"rsa-1"}`, `{"alg":["HS256"]}`, `{"alg":"HS256","crit":["exp"]}`, `{"alg":"RS256","jwk":{}}`, `null`, `1`} {
		for _, p := range []string{`{}`, `null`, `[]`, `{"exp":4102444800}`, `{"exp":4102444800,"exp":1}`, `{"iss":{}}`, `{"iss":"https://acme.example","aud":"aud-1","exp":1772370000,"sub":"x"}`, `{"exp":1e400}`, "{\"exp\":1,\"x\":\"\xff\"}", strings.Repeat("[", 9000)} {
			for _, sig := range []string{"", "A", enc([]byte("signature")), enc(make([]byte, 32)), enc(make([]byte, 256))} {
				corpus = append(corpus, enc([]byte(h))+"."+enc([]byte(p))+"."+sig)
			}
		}
	}
	s := site(t, NewMemory(0), newAccess(), newHMAC(nil), newFirebase(), newOIDC("idp", "https://idp.example", "api"))
	places := map[string]func(string) field{
		"bearer":    func(g string) field { return field{"Authorization", "Bearer " + g} },
		"scheme":    func(g string) field { return field{"Authorization", g} },
		"assertion": func(g string) field { return field{"Cf-Access-Jwt-Assertion", g} },
		"cookie":    func(g string) field { return field{"Cookie", "CF_Authorization=" + g} },
		"cookies":   func(g string) field { return field{"Cookie", g} },
	}
	for where, place := range places {
		for _, g := range corpus {
			if r := ask(t, s, get(place(g)), clock); r.Who.Authenticated() {
				t.Errorf("%s: %q is %+v", where, g[:min(len(g), 80)], r.Who)
			}
		}
	}
}

func FuzzIdentify(f *testing.F) {
	s := site(f, nil, newAccess(), newHMAC(nil), newOIDC("idp", "https://idp.example", "api"))
	good := mint(hs(), hmacBody())
	for _, seed := range []string{"Bearer " + good, good, "CF_Authorization=" + mint(rs(), accessBody()), "Bearer a.b.c", "Basic x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range []string{"Authorization", "Cf-Access-Jwt-Assertion", "Cookie"} {
			r := ask(t, s, get(field{name, text}), clock)
			if r.Who.Authenticated() && !strings.Contains(text, good) && !strings.Contains(text, "CF_Authorization=") {
				t.Fatalf("%s: %q is somebody", name, text)
			}
		}
	})
}

// The cookie reader agrees with the one that forwards cookies.
func TestCookiesAreReadAlike(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"CF_Authorization", "=", ";", " ", `"`, "x", "cf_authorization", "\t", ",", "a=b"}
	for range 5000 {
		var h request.Header
		for range 1 + r.IntN(2) {
			var b strings.Builder
			for range r.IntN(12) {
				b.WriteString(pieces[r.IntN(len(pieces))])
			}
			h = append(h, request.Field{Name: "Cookie", Value: b.String()})
		}
		want := h.Cookies(cookieAccess)
		got, n := cookie(h, cookieAccess)
		if n != len(want) || n > 0 && got != want[0] {
			t.Fatalf("%q: got %q and %d, want %q", h, got, n, want)
		}
	}
}
