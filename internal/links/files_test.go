package links

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/request"
)

const both = `{
  ios: {prod: [{appId: ABCDE12345.com.example.app, paths: ["NOT /link/help/*", "/link/*", "/invite/?"], appClips: [ABCDE12345.com.example.app.Clip]}],
        test: [{appId: ABCDE12345.com.example.app.dev}]},
  android: [{package: com.example.app, sha256: ["` + "14:6d:e9:83:c5:73:06:50:d8:ee:b9:95:2f:34:fc:64:16:a0:83:42:e6:1d:be:a8:8a:04:96:b2:3f:cf:44:e5" + `"]}, {package: com.example.two, sha256: ["` + fingerprint1 + `"]}]}`

// The files are what the vendors' pages show, letter by letter where it counts.
func TestAssociationFiles(t *testing.T) {
	t.Parallel()
	h := serve(t, "prod", both)
	var apple any
	if err := json.Unmarshal(h.get("/.well-known/apple-app-site-association", iPhone).Body, &apple); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"applinks": map[string]any{"details": []any{map[string]any{"appIDs": []any{"ABCDE12345.com.example.app"}, "components": []any{
			map[string]any{"/": "/link/help/*", "exclude": true}, map[string]any{"/": "/link/*"}, map[string]any{"/": "/invite/?"}}}}},
		"webcredentials": map[string]any{"apps": []any{"ABCDE12345.com.example.app"}},
		"appclips":       map[string]any{"apps": []any{"ABCDE12345.com.example.app.Clip"}},
	}
	if diff := cmp.Diff(want, apple); diff != "" {
		t.Errorf("Apple's file (-want +got):\n%s", diff)
	}
	var android any
	if err := json.Unmarshal(h.get("/.well-known/assetlinks.json", pixel).Body, &android); err != nil {
		t.Fatal(err)
	}
	statement := func(name string) any {
		return map[string]any{"relation": []any{"delegate_permission/common.handle_all_urls"},
			"target": map[string]any{"namespace": "android_app", "package_name": name, "sha256_cert_fingerprints": []any{fingerprint1}}}
	}
	if diff := cmp.Diff([]any{statement("com.example.app"), statement("com.example.two")}, android); diff != "" {
		t.Errorf("Google's file (-want +got):\n%s", diff)
	}
}

func TestHowFilesAreServed(t *testing.T) {
	t.Parallel()
	h := serve(t, "test", both)
	r := h.get("/apple-app-site-association", iPhone)
	if r.Status != 200 || r.Header.Get("Content-Type") != "application/json" || !strings.Contains(string(r.Body), `"ABCDE12345.com.example.app.dev"`) || !strings.Contains(string(r.Body), `"/": "/*"`) {
		t.Errorf("%d %v %s", r.Status, r.Header, r.Body)
	}
	etag := r.Header.Get("ETag")
	for field, status := range map[string]int{etag: 304, `"other", W/` + etag: 304, "*": 304, `"other"`: 200, strings.Trim(etag, `"`): 200} {
		if got := h.get("/.well-known/apple-app-site-association", iPhone, request.Field{Name: "If-None-Match", Value: field}); got.Status != status || got.Header.Get("ETag") != etag || status == 304 && len(got.Body) > 0 {
			t.Errorf("If-None-Match: %s: %d, %d bytes", field, got.Status, len(got.Body))
		}
	}
	if h.count["association"] != 6 {
		t.Errorf("counted %v", h.count)
	}
}

// A file with nothing in it is none: an empty one would say that no app is meant.
func TestFilesWithNothingInThem(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		env, config    string
		apple, android int
	}{
		{"prod", `{}`, 404, 404},
		{"prod", `{ios: {appId: ABCDE12345.a.b}}`, 200, 404},
		{"prod", `{android: {package: a.b, sha256: "` + fingerprint1 + `"}}`, 404, 200},
		{"prod", `{ios: {test: {appId: ABCDE12345.a.b}}}`, 404, 404},
		{"dev", `{ios: {test: {appId: ABCDE12345.a.b}}}`, 200, 404},
		{"prod", `{webcredentials: false, ios: {appId: ABCDE12345.a.b, paths: []}}`, 404, 404},
		{"prod", `{ios: {appId: ABCDE12345.a.b, paths: []}}`, 200, 404}, // passwords alone
	} {
		h := serve(t, tt.env, tt.config)
		if a, g := h.get("/.well-known/apple-app-site-association", iPhone).Status, h.get("/.well-known/assetlinks.json", pixel).Status; a != tt.apple || g != tt.android {
			t.Errorf("%s in %s: %d and %d, want %d and %d", tt.config, tt.env, a, g, tt.apple, tt.android)
		}
	}
}
