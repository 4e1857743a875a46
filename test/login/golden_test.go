package login_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/standin"
	"github.com/portreeve/portreeve/test/edge"
)

var update = flag.Bool("update", false, "write the expected part of testdata anew")

// TestGolden is request and answer for every path, success and failure, and what
// the services were sent for it. A file of testdata is steps, and below ---- what
// came of them:
//
//	! castle deny zq9.ann@example.com     what is so from here on
//	POST /oauth/token                     a step: request line, fields, body
//	X-Castle-Request-Token: ${device}
//	{"username": …}
//
//	POST /mfa/challenge                   after an empty line, the next
//	{"mfa_token": "${mfa_token}"}
//
// ${name} is a member of an earlier answer, or a parameter of where it redirected
// to; ${device} is a device token, ${text} the last code that was sent to a phone.
func TestGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("there is nothing in testdata", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(file), "testdata/"), ".txt"), func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			steps, want, _ := strings.Cut(string(raw), "\n----\n")
			got := play(t, filepath.Base(filepath.Dir(file))+".example", strings.Split(strings.TrimSpace(steps), "\n\n"))
			if *update {
				if err := os.WriteFile(file, []byte(strings.TrimSpace(steps)+"\n----\n"+got), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// play runs the steps and tells what came of them.
func play(t *testing.T, host string, steps []string) string {
	t.Helper()
	change := map[string]string{}
	for line := range strings.Lines(steps[0]) {
		if words := strings.Fields(line); len(words) > 3 && words[0] == "!" && words[1] == "set" {
			change[words[2]] = strings.Join(words[3:], " ")
		}
	}
	w := start(t, change)
	known, out, told := map[string]string{}, &strings.Builder{}, &sent{at: map[string]int{}}
	for _, step := range steps {
		lines := strings.Split(strings.TrimLeft(step, "\n"), "\n")
		for len(lines) > 0 && (strings.HasPrefix(lines[0], "! ") || strings.HasPrefix(lines[0], "#")) {
			if words := strings.Fields(lines[0]); words[0] == "!" && words[1] != "set" {
				w.prepare(t, words[1:])
				fmt.Fprintln(out, lines[0])
			}
			lines = lines[1:]
		}
		if step = strings.Join(lines, "\n"); strings.TrimSpace(step) != "" {
			w.step(t, host, step, known, out)
			told.tell(w, out)
		}
	}
	if err := w.Stop(); err != nil { // what is queued is sent
		t.Error(err)
	}
	told.tell(w, out)
	slices.Sort(told.failures)
	out.WriteString(strings.Join(append(told.later, told.failures...), ""))
	return plain(out.String(), w)
}

// sent is what the services were sent and the golden file was not yet told.
type sent struct {
	at              map[string]int
	later, failures []string
}

// tell writes what is new. What is sent behind an answer, in no order that could be
// told, waits for the end.
func (n *sent) tell(w *world, out *strings.Builder) {
	for _, service := range []struct {
		name string
		seen []standin.Sent
	}{{"auth0", w.auth0.Seen()}, {"castle", w.castle.Seen()}, {"users", w.users.Seen()}} {
		for _, s := range service.seen[n.at[service.name]:] {
			switch line := fmt.Sprintf("-> %s %s\n", service.name, sentText(s)); {
			case strings.HasPrefix(s.Path, "/.well-known/"):
			case s.Text("status") == "$failed":
				n.failures = append(n.failures, line)
			case strings.HasPrefix(s.Path, "/api/v2/") || s.Text("grant_type") == "client_credentials":
				n.later = append(n.later, line)
			default:
				out.WriteString(line)
			}
		}
		n.at[service.name] = len(service.seen)
	}
}

// prepare does what a line that begins with ! says.
func (w *world) prepare(t *testing.T, words []string) {
	t.Helper()
	switch words[0] {
	case "castle": // castle ACTION [WHO]
		who := ""
		if len(words) > 2 {
			who = words[2]
		}
		w.castle.Act(who, words[1])
	case "user": // user EMAIL STATUS
		one, _ := w.users.User(words[1])
		one.Email, one.Status = words[1], words[2]
		w.users.Put(one)
	case "fail": // fail SERVICE [HOW [PATH…]]
		fail := map[string]func(standin.Mishap, ...string){"auth0": w.auth0.Fail, "castle": w.castle.Fail, "users": w.users.Fail}[words[1]]
		if words = append(words, ""); len(words) == 3 {
			fail(standin.Well)
		} else {
			fail(standin.Mishap(words[2]), words[3:len(words)-1]...)
		}
	default:
		t.Fatalf("no such line: ! %v", words)
	}
}

var variable = regexp.MustCompile(`\$\{([^}]+)\}`)

func (w *world) step(t *testing.T, host, step string, known map[string]string, out *strings.Builder) {
	t.Helper()
	step = variable.ReplaceAllStringFunc(step, func(v string) string {
		switch name := v[2 : len(v)-1]; name {
		case "device":
			return w.castle.Token()
		case "text":
			texts := w.auth0.Texts()
			if len(texts) == 0 {
				t.Fatal("nothing was sent to a phone")
			}
			return texts[len(texts)-1].Code
		default:
			value, ok := known[name]
			if !ok {
				t.Fatalf("no answer had %s; there is %v", name, slices.Sorted(maps.Keys(known)))
			}
			return value
		}
	})
	lines := strings.Split(step, "\n")
	method, target, _ := strings.Cut(lines[0], " ")
	lines = lines[1:]
	var fields []string
	for len(lines) > 0 && field.MatchString(lines[0]) {
		fields, lines = append(fields, lines[0]), lines[1:]
	}
	origin := w.URL
	if strings.HasPrefix(target, "http") { // where a redirect led
		u, err := url.Parse(target)
		if err != nil {
			t.Fatal(err)
		}
		origin, target, host = u.Scheme+"://"+u.Host, u.RequestURI(), ""
	}
	a, err := exchange(t, origin, host, method, target, strings.Join(lines, "\n"), fields...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	learn(a, known)
	fmt.Fprintf(out, "%d\n", a.Status)
	for _, name := range []string{"Content-Type", "Cache-Control", "Allow", "Retry-After", "X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Portreeve-Signup", "Www-Authenticate", "Location"} {
		for _, v := range a.Header.Values(name) {
			if name == "Retry-After" && begun.MatchString(v) {
				v = "900"
			}
			fmt.Fprintf(out, "%s: %s\n", name, v)
		}
	}
	fmt.Fprintf(out, "%s\n", pretty(a.Body))
}

// begun is a quarter of an hour of which up to a minute is over: a busy machine takes that
// long for the tries before.
var begun = regexp.MustCompile(`^8[4-9][0-9]$`)

var field = regexp.MustCompile(`^[A-Za-z0-9-]+: `)

// learn keeps an answer's members for later steps.
func learn(a edge.Answer, known map[string]string) {
	var members map[string]any
	if json.Unmarshal([]byte(a.Body), &members) == nil {
		for k, v := range members {
			if s, ok := v.(string); ok {
				known[k] = s
			}
		}
		if codes, ok := members["recovery_codes"].([]any); ok && len(codes) > 0 {
			known["recovery_code"], _ = codes[0].(string)
		}
	}
	var list []map[string]any
	if json.Unmarshal([]byte(a.Body), &list) == nil && len(list) > 0 {
		known["authenticator"], _ = list[0]["id"].(string)
		known["authenticator_escaped"] = url.PathEscape(known["authenticator"])
	}
	if to := a.Header.Get("Location"); to != "" {
		known["location"] = to
		if u, err := url.Parse(to); err == nil {
			known["target"] = u.RequestURI()
			for k := range u.Query() {
				known[k] = u.Query().Get(k)
			}
		}
	}
}

func sentText(s standin.Sent) string {
	var b strings.Builder
	b.WriteString(s.Method + " " + s.Path)
	if s.Query != "" {
		b.WriteString("?" + s.Query)
	}
	b.WriteString("\n")
	for _, name := range []string{"Auth0-Forwarded-For", "Authorization", "Content-Type"} {
		for _, v := range http.Header(s.Header).Values(name) {
			fmt.Fprintf(&b, "   %s: %s\n", name, v)
		}
	}
	body := string(s.Body)
	if !s.Form {
		body = pretty(body)
	}
	if body = strings.TrimSpace(body); body != "" {
		b.WriteString("   " + body)
	}
	return strings.TrimRight(b.String(), "\n ")
}

// pretty is JSON on one line with its members in order; anything else as it is.
func pretty(body string) string {
	var v any
	if json.Unmarshal([]byte(body), &v) != nil {
		return body
	}
	raw, _ := json.Marshal(v)
	return string(raw)
}

// What differs from run to run, and what stands for it.
var changing = []struct {
	what *regexp.Regexp
	as   string
}{
	{regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]+`), "<jwt>"},
	{regexp.MustCompile(`Fe26\.2\*oob\*\w+`), "<oob_code>"},
	{regexp.MustCompile(`Fe26\.2\*\w+`), "<mfa_token>"},
	{regexp.MustCompile(`v1\.[A-Z2-7]{26}`), "<refresh_token>"},
	{regexp.MustCompile(`stand-in-[A-Z2-7]{52}`), "<device>"},
	{regexp.MustCompile(`(sms|totp)(\||%7C)dev_\w+`), "$1$2<id>"},
	{regexp.MustCompile(`"(binding_code|otp)":"\d{6}"`), `"$1":"<code>"`},
	{regexp.MustCompile(`\b(state|nonce|code_challenge|code|code_verifier)=[\w%.~-]+`), "$1=<$1>"},
	{regexp.MustCompile(`"(state|code|code_verifier)":"[\w.~-]{20,}"`), `"$1":"<$1>"`},
	{regexp.MustCompile(`Signature=[0-9a-f]{64}`), "Signature=<signature>"},
	{regexp.MustCompile(`Credential=AKIDEXAMPLE/\d{8}/`), "Credential=AKIDEXAMPLE/<day>/"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`), "<time>"},
	{regexp.MustCompile(`"(recovery_code)":"[A-Z2-7]{24}"`), `"$1":"<recovery_code>"`},
	{regexp.MustCompile(`"recovery_codes":\["\w+"\]`), `"recovery_codes":["<recovery_code>"]`},
	{regexp.MustCompile(`("secret":"|secret=)[A-Z2-7]{32}`), "$1<secret>"},
	{regexp.MustCompile(`recovery-code\|dev_\w+`), "recovery-code|dev_<id>"},
	{regexp.MustCompile(`"expires_in":(89\d|900)\b`), `"expires_in":900`},
	{regexp.MustCompile(`Go-http-client/[\d.]+`), "Go"},
}

func plain(text string, w *world) string {
	for name, origin := range map[string]string{"auth0": w.auth0.URL(), "castle": w.castle.URL(), "users": w.users.URL(), "portreeve": w.URL} {
		text = strings.ReplaceAll(text, origin, "<"+name+">")
		text = strings.ReplaceAll(text, url.QueryEscape(origin), "<"+name+">")
	}
	for _, c := range changing {
		text = c.what.ReplaceAllString(text, c.as)
	}
	return text
}
