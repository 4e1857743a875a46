package config

import (
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/template"
)

// shownFile has a value of each way that a secret can stand in a file.
type shownFile struct {
	Secret  secret.Value             `json:"secret"`
	Secrets List[secret.Value]       `json:"secrets"`
	ByName  map[string]secret.Value  `json:"byName"`
	Set     map[string]template.Text `json:"set" conf:"sensitive"`
	Free    map[string]string        `json:"free"`
	Data    *template.Tree           `json:"data"`
	URL     string                   `json:"url"`
	Note    template.Text            `json:"note"`
	On      bool                     `json:"on"`
	Many    int                      `json:"many"`
	Any     any                      `json:"any"`
}

func redacted(t testing.TB, src string) (text string, d *Document) {
	t.Helper()
	var f shownFile
	env := map[string]string{"S": "from-outside-0123456789", "SHORT": "on", "PEM": `-----BEGIN PRIVATE KEY-----\nAAAA`}
	d = Decode([]byte(src), &f, Options{Name: "p.yaml", Env: func(n string) (string, bool) { v, ok := env[n]; return v, ok }})
	return d.Redacted(), d
}

func TestWhatARedactedTextShows(t *testing.T) {
	t.Parallel()
	const never = "zq9kx7wv3"
	for in, want := range map[string]string{
		"secret: zq9kx7wv3 # zq9kx7wv3":                                `secret: "***"`,
		`secret: "{{env.S}}"`:                                          `secret: "{{env.S}}"`,
		`secret: ${S}`:                                                 `secret: ${S}`,
		`secret: "{{ env.S }}"`:                                        `secret: "{{ env.S }}"`,
		`secret: "{{file./run/secrets/a b}}"`:                          `secret: "{{file./run/secrets/a b}}"`,
		`secret: "{{env.NONE:-zq9kx7wv3}}"`:                            `secret: "***"`,
		`secret: "zq9kx7wv3{{env.S}}"`:                                 `secret: "***"`,
		`secret: "{{{{zq9kx7wv3}}"`:                                    `secret: "***"`,
		`secret: "$${zq9kx7wv3}"`:                                      `secret: "***"`,
		`secret: "&#123;&#123;env.S:-zq9kx7wv3}}"`:                     `secret: "***"`,
		`secret: 1234567`:                                              `secret: "***"`,
		`secrets: zq9kx7wv3`:                                           `secrets: "***"`,
		`secrets: [zq9kx7wv3, "{{env.S}}"]`:                            "secrets:\n    - \"***\"\n    - \"{{env.S}}\"",
		`byName: {A: zq9kx7wv3}`:                                       "byName:\n    A: \"***\"",
		`set: {X-Key: zq9kx7wv3, X-User: "{{auth.sub}}"}`:              "set:\n    X-Key: \"***\"\n    X-User: \"{{auth.sub}}\"",
		`set: {X-Key: "Bearer {{env.S}}"}`:                             "set:\n    X-Key: \"***\"",
		`set: {X-Key: "{{secret:STRIPE}}"}`:                            "set:\n    X-Key: \"{{secret:STRIPE}}\"",
		`free: {apiKey: zq9kx7wv3, word: other}`:                       "free:\n    apiKey: \"***\"\n    word: other",
		`data: {deep: [{password: zq9kx7wv3, n: 1, x: null}]}`:         "data:\n    deep:\n        - password: \"***\"\n          n: 1\n          x: null",
		`any: {auth: [zq9kx7wv3, true]}`:                               "any:\n    auth:\n        - \"***\"\n        - \"***\"",
		`url: postgres://me:zq9kx7wv3@db:5432/x?sslmode=on`:            "url: postgres://***@db:5432/x?sslmode=on",
		`url: "https://a.example/?a=1&api_key=zq9kx7wv3&b=2"`:          "url: https://a.example/?a=1&api_key=***&b=2",
		`url: "{{env.NONE:-postgres://me:zq9kx7wv3@db/x}}"`:            `url: "{{env.NONE:-postgres://***@db/x}}"`,
		`free: {key: zq9kx7wv3, X-Key: zq9kx7wv3, monkey: no}`:         "free:\n    key: \"***\"\n    X-Key: \"***\"\n    monkey: no",
		"url: |-\n  h[\"x-api-key\"] == \"zq9kx7wv3 b\" && a == \"b\"": `url: h["x-api-key"] == *** && a == "b"`,
		"url: |-\n  'zq9kx7wv3' == request.headers['x-hook-secret'] || auth.token in ['zq9kx7wv3', 'b'] || c": `url: "*** == request.headers[""x-hook-secret""] || auth.token in *** || c"`,
		"url: |-\n  host=db password='zq9kx7wv3 zq9kx7wv3' user=me":                                           `url: host=db password=*** user=me`,
		`note: "app://x?token={{query.token}}"`:                                                               "note: app://x?token={{query.token}}",
		`note: "Authorization: Bearer zq9kx7wv3zq9kx7wv3"`:                                                    "note: \"Authorization: Bearer ***\"",
		"note: |\n  -----BEGIN PRIVATE KEY-----\n  zq9kx7wv3\n":                                               `note: "***"`,
		"secret: zq9kx7wv3\nnote: it is zq9kx7wv3, mind":                                                      "secret: \"***\"\nnote: \"***\"",
		"secret: zq9kx7wv3\nfree: {zq9kx7wv3: a}":                                                             "secret: \"***\"\nfree:\n    \"***\": a",
		"secret: \"{{env.S}}\"\nnote: from-outside-0123456789":                                                "secret: \"{{env.S}}\"\nnote: \"***\"",
		"secret: \"{{env.SHORT}}\"\non: true\nnote: only":                                                     "secret: \"{{env.SHORT}}\"\non: true\nnote: only",
		"secret: &a zq9kx7wv3\nurl: *a":                                                                       "secret: \"***\"\nurl: \"***\"",
		"on: true\nmany: 7\nnote: \"true\"\nurl: '7'":                                                         "on: true\nmany: 7\nnote: \"true\"\nurl: \"7\"",
		`{"secret": "zq9kx7wv3", "many": 1}`:                                                                  "secret: \"***\"\nmany: 1",
	} {
		got, d := redacted(t, in)
		if strings.ReplaceAll(strings.TrimSpace(got), "'", `"`) != want || strings.Contains(got, never) {
			t.Errorf("%s\nshows %s\nwant  %s (%v)", in, got, want, d.Problems())
		}
	}
}

// TestARedactedTextIsOneThatCanBeRead: what it shows is what the file says.
func TestARedactedTextIsOneThatCanBeRead(t *testing.T) {
	t.Parallel()
	const src = "note: \"a: b # c\\n\\td\"\nfree: {\"x y\": \"- 1\", \"yes\": \"no\", empty: ''}\nmany: 12\ndata: [1.5, [], {}, \"~\", null]\n"
	text, _ := redacted(t, src)
	again, d := redacted(t, text)
	if text != again || d.Failed() || strings.Count(text, "\n") < 8 {
		t.Errorf("%s\nand then\n%s\n%v", text, again, d.Problems())
	}
}

func TestARedactedTextHasAnEnd(t *testing.T) {
	t.Parallel()
	const most, values = maxShown / 64, maxShownNode / 64
	_, d := redacted(t, "free:\n"+strings.Repeat("  ? "+strings.Repeat("k", 900)+"\n  : v\n", 3)+"note: |\n"+strings.Repeat("  "+strings.Repeat("n", 1000)+"\n", most/900))
	if text := d.redacted(most, values); len(text) > most+10 || len(text) < most-2000 || !strings.HasSuffix(text, "\n# …\n") {
		t.Errorf("%d bytes, at their end %q", len(text), text[max(0, len(text)-20):])
	}
	var b strings.Builder
	b.WriteString("any:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 6; i++ {
		b.WriteString(strings.NewReplacer("N", string(rune('0'+i)), "M", string(rune('0'+i-1))).Replace("  aN: &aN [*aM, *aM, *aM, *aM, *aM, *aM, *aM, *aM, *aM, *aM]\n"))
	}
	_, d = redacted(t, b.String())
	if text := d.redacted(maxShown, values); strings.Count(text, "x") < values/2 || strings.Count(text, "x") > values || !strings.Contains(text, "…") {
		t.Errorf("aliases make %d bytes and show %d values", len(text), strings.Count(text, "x"))
	}
}

func FuzzRedacted(f *testing.F) {
	for _, s := range []string{"secret: zq9kx7wv3", "set: {a: b}\ndata: {password: x}", "url: a://b:c@d", "secrets: [a, '{{env.S}}']", `{"any": {"token": [1]}}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		text, d := redacted(t, src)
		if len(text) > maxShown+10 {
			t.Fatalf("%d bytes", len(text))
		}
		for _, s := range d.secrets {
			if len(s) >= 8 && strings.Contains(text, s) && !strings.Contains(s, Hidden) && !strings.Contains(s, "…") {
				t.Fatalf("shows %q:\n%s", s, text)
			}
		}
	})
}
