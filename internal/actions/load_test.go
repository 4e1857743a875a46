package actions

import (
	"errors"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/config"
)

func TestAScriptThatCannotRunIsALoadError(t *testing.T) {
	t.Parallel()
	const handler = "exports.onExecutePostLogin = async (event, api) => {};"
	for source, want := range map[string]string{
		handler + "\nconst x = ;":                    "2:11: Unexpected \";\"",
		"exports.onExecutePostLogin = async () => {": "end of file",
		"": "exports no onExecutePostLogin",
		"exports.onExecutePreUserRegistration = 1":       "exports no onExecutePostLogin",
		"if (1) " + handler:                              "exports no onExecutePostLogin",
		"import x from 'y';\n" + handler:                 "cannot be read",
		"const x = async () => import('y');\n" + handler: "cannot be read",
		strings.Repeat(" ", maxSource) + handler:         "larger than",
		"const x: string = 'typescript';\n" + handler:    "1:8",
	} {
		if err := Check(Script{Name: "x.js", Source: source}, PostLogin); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %s", source, err, want)
		}
	}
	for _, source := range []string{
		handler, "module.exports.onExecutePostLogin = function () {}", "module.exports = { onExecutePostLogin: async (e) => {} }", "module.exports = { async onExecutePostLogin() {} }",
		"const onExecutePostLogin = 1; module.exports = { onExecutePostLogin }", "exports['onExecutePostLogin'] = 1", "exports.a = exports.onExecutePostLogin = () => {}",
	} {
		if err := Check(Script{Name: "x.js", Source: source}, PostLogin); err != nil {
			t.Errorf("%s: %v", source, err)
		}
	}
}

// Newer syntax than the engine has runs all the same, and what is thrown has its
// place in the file as it was written.
func TestNewerSyntaxRuns(t *testing.T) {
	t.Parallel()
	s := Script{Name: "new.js", Source: `class Plan { #level = 2; static { this.free = 1n } get level() { return this.#level ?? 0 } }
const gather = async function* () { yield* [1, 2]; };
exports.onExecutePostLogin = async (event, api) => {
  let sum = 0; for await (const n of gather()) sum += n;
  const o = { ...event.user, level: new Plan().level }; o.extra ??= event?.nothing?.here ?? "none";
  const id = crypto.randomUUID(), { createHash } = require("node:crypto");
  const u = new URL("../x?a=1#h", "https://user:pw@Example.com:8443/p/q"); u.searchParams.append("b", "c d");
  api.idToken.setCustomClaim("x", [sum, o.level, o.extra, /^[0-9a-f]{8}-[0-9a-f]{4}-4/.test(id), createHash("sha256").update("abc").digest("hex").slice(0, 8),
    u.href, btoa("ä"), atob("5A=="), new TextDecoder().decode(new TextEncoder().encode("ä€")), typeof structuredClone, [3, 1, 2].toSorted().at(-1), Plan.free === 1n]);
  await new Promise((done) => setTimeout(done, 5));
  console.log("level %d", { a: [1] }, new Error("shown").message);
  if (event.fail) {

    null.x;
  }
};`}
	e := engine(t, Options{})
	out, err := e.Run(t.Context(), PostLogin, []Script{s}, map[string]any{"user": map[string]any{}})
	if err != nil {
		t.Fatal(err)
	}
	want := `[3,2,"none",true,"ba7816bf","https://user:pw@example.com:8443/x?a=1&b=c+d#h","5A==","ä","ä€","function",3,true]`
	if got := string(out.IDToken["x"]); got != want {
		t.Errorf("%s\n%s", got, want)
	}
	if got := strings.Join(out.Logs, "|"); got != `level %d {"a":[1]} shown` {
		t.Errorf("%s", got)
	}
	_, err = e.Run(t.Context(), PostLogin, []Script{s}, map[string]any{"fail": true})
	if f := (*Failure)(nil); !errors.As(err, &f) || f.Class != "TypeError" || !strings.HasPrefix(f.Where, "new.js:14:") {
		t.Errorf("%v", err)
	}
}

type loginFile struct {
	Actions *Config `json:"actions"`
}

func loadConfig(text string, plain bool) (Set, []config.Problem) {
	var f loginFile
	doc := config.Decode([]byte(text), &f, config.Options{})
	var set Set
	if f.Actions != nil {
		r := doc.Report("actions")
		f.Actions.Validate(r, plain)
		set = f.Actions.Load(r, func(name string) ([]byte, error) {
			switch name {
			case "good.js":
				return []byte("exports.onExecutePostLogin = () => {}"), nil
			case "bad.js":
				return []byte("exports.onExecutePostLogin = () => {"), nil
			}
			return nil, errors.New("no such file")
		})
	}
	return set, doc.Problems()
}

func TestTheConfigurationOfActions(t *testing.T) {
	t.Parallel()
	set, problems := loadConfig("actions:\n  timeout: 2s\n  postLogin:\n    - good.js\n    - {file: good.js, configuration: {A: b}, secrets: {S: t}, egress: [api.example.com]}\n", false)
	if len(problems) != 0 || len(set.PostLogin) != 2 || set.PostLogin[1].Secrets["S"] != "t" || set.PostLogin[1].Timeout.Seconds() != 2 || set.PostLogin[0].Name != "good.js" {
		t.Errorf("%+v %v", set, problems)
	}
	if set, problems := loadConfig("actions: {postLogin: good.js}", false); len(problems) != 0 || len(set.PostLogin) != 1 {
		t.Errorf("one in place of a list: %+v %v", set, problems)
	}
	for text, want := range map[string]string{
		"actions: {postLogin: [none.js]}":                                        "cannot be read",
		"actions: {postLogin: [bad.js]}":                                         "bad.js: 1:",
		"actions: {preUserRegistration: [good.js]}":                              "exports no onExecutePreUserRegistration",
		"actions: {postLogin: [{configuration: {A: b}}]}":                        "file",
		"actions: {timeout: 21s, postLogin: [good.js]}":                          "from 100ms to 20s",
		"actions: {postLogin: [{file: good.js, egress: [http://x.example]}]}":    "is http",
		"actions: {postLogin: [{file: good.js, egress: [10.0.0.1]}]}":            "not of the public internet",
		"actions: {postLogin: [{file: good.js, egress: ['*.example.com']}]}":     "one host exactly",
		"actions: {postLogin: [{file: good.js, fetch: true}]}":                   "unknown key",
		"actions: {postLogin: [" + strings.Repeat("good.js, ", 20) + "good.js]}": "more than 20",
	} {
		_, problems := loadConfig(text, false)
		found := false
		for _, p := range problems {
			found = found || strings.Contains(p.String(), want)
		}
		if !found {
			t.Errorf("%s: %v, want %s", text, problems, want)
		}
	}
	if _, problems := loadConfig("actions: {postLogin: [{file: good.js, egress: ['http://127.0.0.1:9999']}]}", true); len(problems) != 0 {
		t.Errorf("in test: %v", problems)
	}
}
