package links

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/outbound"
	"github.com/portreeve/portreeve/internal/request"
)

// told is a report as lines.
func told(reports ...*FileReport) string {
	var b strings.Builder
	for _, r := range reports {
		for _, f := range r.Findings {
			b.WriteString(r.Vendor + " " + string(f.Level) + " " + f.Where + ": " + f.Text + " → " + f.Fix + "\n")
		}
	}
	return b.String()
}

// Apple's own example is fine, and so is whatever we serve.
func TestFilesThatAreFine(t *testing.T) {
	t.Parallel()
	const example = `{"applinks": {"details": [{"appIDs": ["ABCDE12345.com.example.app", "ABCDE12345.com.example.app2"], "components": [
	  {"#": "no_universal_links", "exclude": true, "comment": "x"}, {"/": "/buy/*"}, {"/": "/help/website/*", "exclude": true},
	  {"/": "/help/*", "?": {"articleNumber": "????"}}, {"/": "/$(lang)/x", "caseSensitive": false}]}]},
	  "webcredentials": {"apps": ["ABCDE12345.com.example.app"]}, "appclips": {"apps": ["ABCDE12345.com.example.MyApp.Clip"]}}`
	const old = `{"applinks": {"apps": [], "details": [{"appID": "9JA89QQLNQ.com.apple.wwdc", "paths": ["/wwdc/news/", "NOT /videos/wwdc/2010/*", "/videos/wwdc/201?/*"]}]}}`
	for _, s := range []string{example, old} {
		if r := CheckApple("", []byte(s)); !r.OK() || !strings.Contains(told(r), "fine") {
			t.Errorf("%s", told(r))
		}
	}
	c, problems := decoded(both)
	if problems != "" {
		t.Fatal(problems)
	}
	apple, android := c.Files("prod")
	for _, r := range []*FileReport{CheckApple("", apple), CheckAndroid("", android)} {
		for _, f := range r.Findings {
			if f.Level != Fine {
				t.Errorf("of our own file: %+v", f)
			}
		}
	}
}

// What a developer gets wrong, and is told.
func TestFilesThatAreWrong(t *testing.T) {
	t.Parallel()
	app := func(s string) string { return `{"applinks": {"details": [` + s + `]}}` }
	for text, want := range map[string]string{
		``:                       "wrong : the file is empty",
		"{\n \"applinks\": {,}}": "line 2, column 15: the file is no JSON",
		`<!doctype html>`:        "the file is HTML",
		"\xef\xbb\xbf{}":         "byte order mark",
		"0\x82\x01\x02":          "signed",
		`[]`:                     "the file is an array where an object is expected",
		`{}`:                     "names no service",
		`{"applink": {}}`:        "note applink: is a key that nobody reads → did you mean applinks?",
		`{"applinks": []}`:       "wrong applinks: must be an object",
		`{"applinks": {}}`:       "wrong applinks.details: must be a list",
		app(``):                  "wrong applinks.details: is empty",
		`{"applinks": {"apps": ["x"], "details": []}}`:                    "wrong applinks.apps: must be an empty list",
		`{"applinks": {"details": {"ABCDE12345.a.b": {"paths": ["*"]}}}}`: "wrong applinks.details: must be a list",
		app(`{}`): "names no app",
		app(`{"appIDs": ["com.example.app"], "components": []}`):                             "wrong applinks.details[0].appIDs[0]: \"com.example.app\": must begin with the prefix",
		app(`{"appIDs": ["ABCDE12345.a.b"]}`):                                                "names no paths",
		app(`{"appIDs": ["ABCDE12345.a.b"], "components": [{"/": "link"}]}`):                 "must begin with /",
		app(`{"appIDs": ["ABCDE12345.a.b"], "components": [{"/": "NOT /link"}]}`):            "belongs to the older form",
		app(`{"appIDs": ["ABCDE12345.a.b"], "components": [{"/": "/a", "exclude": "yes"}]}`): "exclude: must be true or false",
		app(`{"appIDs": ["ABCDE12345.a.b"], "components": [{"path": "/a"}]}`):                "note applinks.details[0].components[0].path: is a key that nobody reads",
		app(`{"appIDs": ["ABCDE12345.a.b"], "components": [{"/": "*"}, {"/": "/a"}]}`):       "components[1]: is never reached",
		app(`{"appIDs": ["ABCDE12345.a.b"], "components": [{"?": 3}]}`):                      "must be a pattern, or an object",
		app(`{"appID": "ABCDE12345.a.b", "paths": ["not /x"]}`):                              `"NOT /path/*"`,
		`{"webcredentials": {"apps": "ABCDE12345.a.b"}}`:                                     "wrong webcredentials.apps: must be a list",
		`{"x": "` + strings.Repeat("x", 129<<10) + `"}`:                                      "no more than 131072",
	} {
		if got := told(CheckApple("", []byte(text))); !strings.Contains(got, want) {
			t.Errorf("%.120s:\n%swant %s", text, got, want)
		}
	}
	one := func(s string) string {
		return `[{"relation": ["delegate_permission/common.handle_all_urls"], "target": ` + s + `}]`
	}
	for text, want := range map[string]string{
		`{}`:   "the file is an object where an array is expected",
		`[]`:   "no statement lets an app open",
		`[1]`:  "[0]: must be an object",
		`[{}]`: "[0].relation: must be a list",
		one(`{"namespace": "android", "package_name": "a.b"}`): "is no namespace",
		one(`{"namespace": "android_app"}`):                    "package_name: must be an application id",
		one(`{"namespace": "android_app", "package_name": "example", "sha256_cert_fingerprints": ["` + fingerprint1 + `"]}`):              "parts of letters",
		one(`{"namespace": "android_app", "package_name": "a.b", "sha256_cert_fingerprints": []}`):                                        "is empty: no app can prove",
		one(`{"namespace": "android_app", "package_name": "a.b", "sha256_cert_fingerprints": ["` + fingerprint1[:59] + `"]}`):             "SHA-1",
		one(`{"namespace": "android_app", "package_name": "a.b", "sha256_cert_fingerprints": ["` + strings.ToLower(fingerprint1) + `"]}`): "note [0].target.sha256_cert_fingerprints[0]: is in small letters",
		one(`{"namespace": "web", "site": "https://example.com"}`):                                                                        "no statement lets an app open",
		`[{"relation": ["common.handle_all_urls"], "target": {"namespace": "web"}}]`:                                                      "is no relation",
	} {
		if got := told(CheckAndroid("", []byte(text))); !strings.Contains(got, want) {
			t.Errorf("%.120s:\n%swant %s", text, got, want)
		}
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	const fine = `{"applinks": {"details": [{"appIDs": ["ABCDE12345.a.b"], "components": [{"/": "/x"}]}]}}`
	const statements = `[{"relation": ["delegate_permission/common.handle_all_urls"], "target": {"namespace": "android_app", "package_name": "a.b", "sha256_cert_fingerprints": ["` + fingerprint1 + `"]}}]`
	answer := func(status int, kind, body string) *outbound.Answer {
		a := &outbound.Answer{Status: status, Body: []byte(body)}
		if kind != "" {
			a.Header = request.Header{{Name: "Content-Type", Value: kind}}
		}
		return a
	}
	moved := answer(301, "", "")
	moved.Header = request.Header{{Name: "Location", Value: "https://www.example.com/x"}}
	const json = "application/json; charset=utf-8"
	for name, tt := range map[string]struct {
		apple, old, google *outbound.Answer
		ok                 bool
		want               string
	}{
		"fine":             {answer(200, json, fine), nil, answer(200, json, statements), true, "app-site-association.cdn-apple.com/a/v1/links.example.com"},
		"one system alone": {answer(200, json, fine), nil, answer(404, "", ""), true, "Google note : there is none"},
		"neither":          {answer(404, "", ""), nil, answer(404, "", ""), false, "the host has neither file"},
		"the older place":  {answer(404, "", ""), answer(200, json, fine), answer(200, json, statements), true, "where only iOS 12 and earlier look"},
		"redirects":        {moved, nil, moved, false, `the host redirects to "www.example.com" (301)`},
		"no type":          {answer(200, "", fine), nil, answer(200, json, statements), true, "Apple note : comes without a Content-Type"},
		"another type":     {answer(200, json, fine), nil, answer(200, "text/plain", statements), false, "Google wrong : comes as \"text/plain\""},
		"refused":          {answer(403, "", ""), nil, answer(200, json, statements), false, "the host refuses it (403)"},
		"start page":       {answer(200, "text/html", "<html>"), nil, answer(200, json, statements), false, "the file is HTML"},
		"nobody there":     {nil, nil, nil, false, "the file cannot be fetched: links.example.com: unreachable: refused there → the host must answer on port 443"},
	} {
		got := CheckHost(t.Context(), "links.example.com", func(_ context.Context, path string) (*outbound.Answer, error) {
			a := map[string]*outbound.Answer{applePaths[0]: tt.apple, applePaths[1]: tt.old, androidPath: tt.google}[path]
			switch {
			case a == nil && tt.apple != nil:
				return answer(404, "", ""), nil
			case a == nil:
				return nil, &outbound.Error{Why: outbound.Unreachable, Host: "links.example.com", Err: errors.New("refused there")}
			}
			return a, nil
		})
		if ok := got[0].OK() && got[1].OK(); ok != tt.ok || !strings.Contains(told(got...), tt.want) {
			t.Errorf("%s: ok %v\n%swant %s", name, ok, told(got...), tt.want)
		}
	}
}

func TestKind(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{`{"applinks": {}}`: "apple", `{"applinks": {,}`: "apple", ` []`: "android", `{"links": {"webcredentials": true}}`: "", "links: {}": "", "": ""} {
		if got := Kind([]byte(text)); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func FuzzCheck(f *testing.F) {
	for _, s := range []string{`{"applinks": {"details": [{"appIDs": ["ABCDE12345.a.b"], "components": [{"/": "/x"}]}]}}`, `[{"relation": ["a/b"], "target": {"namespace": "android_app"}}]`, "{,}", "\n\n{"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, r := range []*FileReport{CheckApple("", raw), CheckAndroid("", raw)} {
			if len(r.Findings) > maxFindings {
				t.Errorf("%d findings", len(r.Findings))
			}
			for _, f := range r.Findings {
				if len(f.Text)+len(f.Where)+len(f.Fix) > 4<<10 && len(raw) < 1<<10 {
					t.Errorf("a finding of %d bytes", len(f.Text))
				}
			}
		}
		_ = Kind(raw)
	})
}
