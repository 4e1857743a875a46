package links

import (
	"strings"
	"testing"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{}`: "",
		`{ios: [{appId: ABCDE12345.com.example.app, paths: ["/link/*", "NOT /help/*"], appClips: [ABCDE12345.com.example.app.Clip]}]}`: "",
		`{ios: {appId: ABCDE12345.com.example.app}}`:                                                      "",
		`{ios: {prod: {appId: ABCDE12345.com.example.app}, test: [{appId: ABCDE12345.com.example.dev}]}}`: "",
		`{android: {package: com.example.app, sha256: "` + fingerprint1 + `"}}`:                           "",
		`{android: {package: com.example.app, sha256: "` + strings.ToLower(fingerprint1) + `"}}`:          "",
		`{scheme: example, rules: [{match: /*, to: "example://{{path}}?{{query}}"}]}`:                     "",

		`{ios: {appId: com.example.app}}`:                           "ios.appId: must begin with the prefix of ten capital letters",
		`{ios: {appId: abcde12345.com.example.app}}`:                "must begin with the prefix of ten capital letters",
		`{ios: {appId: ABCDE12345}}`:                                "a dot and the bundle identifier",
		`{ios: {appId: ABCDE12345.com.example.*}}`:                  "no wildcard",
		`{ios: {appId: ABCDE12345.com..app}}`:                       "letters, digits and hyphens",
		`{ios: [{appId: ABCDE12345.a.b}, {appId: ABCDE12345.a.b}]}`: "ios[1].appId: stands twice",
		`{ios: {prod: [{appId: x}]}}`:                               "ios.prod[0].appId",
		`{ios: {appId: ABCDE12345.a.b, paths: [link]}}`:             "paths[0]: must begin with /",
		`{ios: {appId: ABCDE12345.a.b, paths: ["/a b"]}}`:           "no blanks",
		`{ios: {appId: ABCDE12345.a.b, paths: ["/ä"]}}`:             "percent-encode",
		`{ios: {appId: ABCDE12345.a.b, paths: ["/a#b"]}}`:           "only the path is compared",
		`{ios: {appId: ABCDE12345.a.b, paths: ["not /a"]}}`:         `an exclusion is written "NOT /path/*"`,
		`{ios: {appId: ABCDE12345.a.b, paths: ["/*", "NOT /a"]}}`:   "paths[1]: is never reached",
		`{ios: {appId: ABCDE12345.a.b, appClips: [clip]}}`:          "appClips[0]",
		`{ios: {appId: ABCDE12345.a.b, paths: ["` + strings.Repeat(`/`+strings.Repeat("x", 1000)+`", "`, 140) + `/y"]}}`: "Apple reads no more than 128 KiB",
		`{android: {package: example, sha256: "` + fingerprint1 + `"}}`:                                                  "android.package: must be an application id",
		`{android: {package: a.b, sha256: "14:6D"}}`:                                                                     "android.sha256: must be 32 bytes",
		`{android: {package: a.b, sha256: "` + fingerprint1[:59] + `"}}`:                                                 "is a SHA-1 fingerprint",
		`{android: {package: a.b, sha256: "` + strings.ReplaceAll(fingerprint1, ":", "") + `"}}`:                         "colon between its bytes",
		`{android: {package: a.b, sha256: []}}`:                                                                          "must not be empty",
		`{android: {package: a.b}}`:                                                                                      "sha256",

		`{scheme: "example://"}`: "scheme: must be a scheme in lower case",
		`{scheme: javascript}`:   "scheme: is not an app's own",
		`{scheme: intent}`:       "scheme: is not an app's own",
		`{mode: both}`:           "mode",
		`{mode: redirect}`:       "without rules",
		`{scheme: example, fallback: {ios: "http://a.example"}, rules: [{match: /a, to: "example://a"}]}`:                                                           "fallback.ios: must be a URL that begins with https://",
		`{scheme: example, fallback: {android: page}, rules: [{match: /a, to: "example://a"}]}`:                                                                     "fallback.android: must be a URL",
		`{scheme: example, fallback: {desktop: "https://u:{{env.X}}@a.example"}, rules: []}`:                                                                        "X",
		`{rules: [{match: /a, to: "example://a"}]}`:                                                                                                                 "needs the key scheme",
		`{scheme: example, rules: [{match: a, to: "example://a"}]}`:                                                                                                 "rules[0].match",
		`{scheme: example, rules: [{match: /a, to: "other://a"}]}`:                                                                                                  "rules[0].to: must begin with example://",
		`{scheme: example, rules: [{match: /a, to: "{{path}}"}]}`:                                                                                                   "must begin with a scheme that is written out",
		`{scheme: example, rules: [{match: /a, to: "exam{{query.a}}ple://a"}]}`:                                                                                     "must begin with a scheme and ://",
		`{scheme: example, rules: [{match: /a, to: "javascript://a"}]}`:                                                                                             "must begin with example://",
		`{scheme: example, rules: [{match: /a, to: "https://evil.example/"}]}`:                                                                                      "no fallback's",
		`{scheme: example, fallback: {ios: "https://a.example/x"}, rules: [{match: /a, to: "https://a.example{{path}}"}]}`:                                          "needs a / behind the host",
		`{scheme: example, fallback: {ios: "https://a.example/x"}, rules: [{match: /a, to: "https://a.example.evil/"}]}`:                                            "no fallback's",
		`{scheme: example, rules: [{match: /a, to: "example://a b"}]}`:                                                                                              "does not belong in a URL",
		`{scheme: example, rules: [{match: /a, to: "example://u@h"}]}`:                                                                                              "no user, password or port",
		`{scheme: example, rules: [{match: /a, to: "example://{{params.x}}"}]}`:                                                                                     "match has no :x",
		`{scheme: example, rules: [{match: /a, to: "example://{{query}}"}]}`:                                                                                        "behind a ?",
		`{scheme: example, rules: [{match: /a, to: "example://{{headers.Cookie}}"}]}`:                                                                               "headers is not read here",
		`{scheme: example, rules: [{match: "/a/:x", to: "example://a"}, {match: "/a/:y", to: "example://b"}]}`:                                                      "matches the same paths as rules[0]",
		`{scheme: example, rules: [{match: /.well-known/assetlinks.json, to: "example://a"}]}`:                                                                      "the association file stands there",
		`{scheme: example, rules: [{match: "/a/:x", to: "example://a/../{{params.x}}"}]}`:                                                                           "rules[0].to: makes no link",
		`{scheme: example, rules: [{match: /a, to: "example://a/%2e%2e/b"}]}`:                                                                                       "rules[0].to: makes no link",
		`{scheme: example, rules: [{match: /a, to: "example://a/%0a"}]}`:                                                                                            "rules[0].to: makes no link",
		`{scheme: example, rules: [{match: /a, to: "example://a/b?next=../c#.."}]}`:                                                                                 "",
		`{ios: {appId: ABCDE12345.a.b}, scheme: example, rules: [{match: /a, to: "example://a"}]}`:                                                                  "an iPhone without the app is led nowhere",
		`{ios: {appId: ABCDE12345.a.b}, scheme: example, mode: redirect, rules: [{match: /a, to: "example://a"}]}`:                                                  "",
		`{android: {package: a.b, sha256: "` + fingerprint1 + `"}, scheme: example, fallback: {ios: "https://a.example"}, rules: [{match: /a, to: "example://a"}]}`: "fallback.android says where",
		`{scheme: example, rules: [{match: /.portreeve/x, to: "example://a"}]}`:                                                                                     "/.portreeve/ is ours",
	} {
		_, got := decoded(text)
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%.160s: %q, want %q", text, got, want)
		}
	}
}
