package links

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFactsAreWhatIsServed(t *testing.T) {
	t.Parallel()
	const text = `{ios: {prod: {appId: ABCDE12345.com.example.app}, test: [{appId: ABCDE12345.com.example.dev, paths: []}]},
		android: {package: com.example.app, sha256: "` + fingerprint1 + `"}, scheme: example, name: Example,
		fallback: {ios: "https://apps.example/1", android: "https://play.example/1"},
		rules: [{match: "/a/:x", to: "example://a/{{params.x}}"}]}`
	c, problems := decoded(text)
	if problems != "" {
		t.Fatal(problems)
	}
	h := serve(t, "test", text)
	got := c.Facts("test")
	if len(got.Files) != 3 {
		t.Fatalf("%+v", got.Files)
	}
	for _, f := range got.Files {
		if served := h.get(f.Path, macBook); f.Body == "" || f.Body != string(served.Body) {
			t.Errorf("%s: told %q, served %q", f.Path, f.Body, served.Body)
		}
	}
	want := Facts{
		Name: "Example", Scheme: "example", Mode: "page", WebCredentials: true, IOS: []IOSFacts{{AppID: "ABCDE12345.com.example.dev", Paths: []string{}}},
		Android: c.Android.of("test"), Rules: []RuleFacts{{"/a/:x", "example://a/{{params.x}}"}}, RuleCount: 1,
		Fallback: FallbackFacts{IOS: "https://apps.example/1", Android: "https://play.example/1"}, Files: got.Files,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if f := c.Facts("prod"); strings.Contains(f.Files[0].Body, "dev") || f.IOS[0].Paths != nil {
		t.Errorf("%+v", f)
	}
}

func TestALongListOfRulesIsToldInPart(t *testing.T) {
	t.Parallel()
	c := &Config{Rules: make([]Rule, mostFacts+1)}
	if f := c.Facts("prod"); len(f.Rules) != mostFacts || f.RuleCount != mostFacts+1 || f.Files[0].Body != "" {
		t.Errorf("%d of %d rules", len(f.Rules), f.RuleCount)
	}
}
