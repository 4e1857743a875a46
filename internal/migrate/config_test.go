package migrate_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/migrate"
)

// told is a report as the command prints it.
func told(r *migrate.Report) string {
	var b strings.Builder
	for _, part := range []struct {
		title string
		lines []migrate.Line
	}{{"took", r.Took}, {"left", r.Left}} {
		fmt.Fprintln(&b, part.title)
		for _, l := range part.lines {
			fmt.Fprintln(&b, "  "+l.String())
		}
	}
	return b.String()
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// given are the variables that the written files read.
func given(name string) (string, bool) {
	switch name {
	case "JWT_SECRET":
		return strings.Repeat("0123456789", 4), true
	case "PORTREEVE_MASTER_KEY":
		return strings.Repeat("A", 43) + "=", true
	case "TWILIO_ACCOUNT_SID":
		return "AC00112233445566778899aabbccddeeff", true
	case "TWILIO_MESSAGING_SERVICE_SID":
		return "MG00112233445566778899aabbccddeeff", true
	case "AUTH0_BASE_URL":
		return "https://acme.us.auth0.com", true
	case "WORKER_ENV":
		return "", false
	}
	return "given", true
}

// checks writes a file and reports what `portreeve check` has against it.
func checks(t *testing.T, file []byte) {
	t.Helper()
	for _, p := range wrong(t, file) {
		t.Errorf("check: %s", p)
	}
}

// wrong are the errors that `portreeve check` has against a file.
func wrong(t *testing.T, file []byte) (list []string) {
	t.Helper()
	at := filepath.Join(t.TempDir(), "portreeve.yaml")
	if err := os.WriteFile(at, file, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := app.Check(app.Source{Path: at, Getenv: given})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Problems {
		if !p.Warning {
			list = append(list, strings.Replace(p.String(), at, "portreeve.yaml", 1))
		}
	}
	return list
}

func TestABackflowFileBecomesPortreeves(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"config", "minimal"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src, err := os.ReadFile("testdata/backflow/" + name + ".json")
			if err != nil {
				t.Fatal(err)
			}
			out, r, err := migrate.Backflow(src, name+".json")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "testdata/backflow/"+name+".yaml", string(out))
			golden(t, "testdata/backflow/"+name+".report.txt", told(r))
			checks(t, out)
			for _, secret := range []string{"stands-in-the-file", "sk_live", ":pw@"} {
				if strings.Contains(string(out)+told(r), secret) {
					t.Errorf("%q was copied", secret)
				}
			}
			again, _, err := migrate.Backflow(src, name+".json")
			if err != nil || string(again) != string(out) {
				t.Error("a second run writes something else")
			}
		})
	}
}

func TestAWranglerFileBecomesPortreeves(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{{"backoffice.toml", "prod"}, {"backoffice.toml", "test"}, {"backoffice.toml", ""}, {"provisioning.toml", ""}, {"agents.jsonc", ""}, {"auth.toml", "test"}, {"auth.toml", "prod"}, {"sms.toml", "prod"}, {"sms.toml", "test"}, {"links.toml", "prod"}} {
		name := strings.TrimSuffix(strings.TrimSuffix(c[0], ".toml"), ".jsonc") + strings.TrimSuffix("-"+c[1], "-")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src, err := os.ReadFile("testdata/wrangler/" + c[0])
			if err != nil {
				t.Fatal(err)
			}
			out, r, err := migrate.Wrangler(src, c[0], c[1])
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "testdata/wrangler/"+name+".yaml", string(out))
			golden(t, "testdata/wrangler/"+name+".report.txt", told(r))
			if bytes.Contains(out, []byte("To fill in: ")) { // what only the code of a worker knows
				golden(t, "testdata/wrangler/"+name+".check.txt", strings.Join(wrong(t, out), "\n")+"\n")
			} else {
				checks(t, out)
			}
			for _, secret := range []string{"must-not-be-copied", "dd-secret"} {
				if strings.Contains(string(out)+told(r), secret) {
					t.Errorf("%q was copied", secret)
				}
			}
			for range 10 {
				if again, _, err := migrate.Wrangler(src, c[0], c[1]); err != nil || string(again) != string(out) {
					t.Fatal("a second run writes something else")
				}
			}
		})
	}
}

func TestFilesThatAreNone(t *testing.T) {
	t.Parallel()
	for _, src := range []string{"", "[]", "{", `{"a":1,"a":2}`, `{"a":1} x`, "\xff", `{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "}"} {
		if _, _, err := migrate.Backflow([]byte(src), "config.json"); err == nil {
			t.Errorf("backflow %.20q was taken", src)
		}
		if _, _, err := migrate.Wrangler([]byte(src), "wrangler.json", ""); err == nil {
			t.Errorf("wrangler.json %.20q was taken", src)
		}
	}
	for src, want := range map[string]string{"a = \"secret": "line 1: the file is not TOML", "a = 1\na = 2": "line 2: the file is not TOML"} {
		if _, _, err := migrate.Wrangler([]byte(src), "wrangler.toml", ""); err == nil || err.Error() != want {
			t.Errorf("wrangler.toml %q: %v", src, err)
		}
	}
	if _, _, err := migrate.Wrangler([]byte("[env.prod]\n[env.test]"), "wrangler.toml", "stage"); err == nil || !strings.HasSuffix(err.Error(), "it has prod, test") {
		t.Errorf("an environment that is not there: %v", err)
	}
}

// What an import writes from any file at all is a file that loads, as far as it
// is the import's to say: no value of the old file becomes a key, a comment's
// end or a template.
func FuzzBackflow(f *testing.F) {
	for _, name := range []string{"config", "minimal"} {
		src, err := os.ReadFile("testdata/backflow/" + name + ".json")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Add([]byte(`{"routes":[{"path":"/a\n#","method":"any","data":"\u0085\u2028 # x: y"}],"jwt":{"secret":"{{env.A}}{{env.B}}"},"x\n- y":1}`))
	f.Fuzz(func(t *testing.T, src []byte) {
		out, r, err := migrate.Backflow(src, "x.json")
		if err != nil {
			return
		}
		written(t, out, told(r))
	})
}

func FuzzWrangler(f *testing.F) {
	for _, name := range []string{"backoffice.toml", "provisioning.toml", "agents.jsonc", "auth.toml", "sms.toml", "links.toml"} {
		src, err := os.ReadFile("testdata/wrangler/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src, "test")
		f.Add(src, "")
	}
	f.Fuzz(func(t *testing.T, src []byte, env string) {
		out, r, err := migrate.Wrangler(src, "wrangler", env)
		if err != nil {
			return
		}
		written(t, out, told(r))
	})
}

var control = regexp.MustCompile(`[\x00-\x08\x0b-\x1f\x7f]`)

func written(t *testing.T, out []byte, told string) {
	t.Helper()
	if control.MatchString(told) {
		t.Errorf("the report holds controls: %q", told)
	}
	at := filepath.Join(t.TempDir(), "portreeve.yaml")
	if err := os.WriteFile(at, out, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := app.Check(app.Source{Path: at, Getenv: given})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Problems {
		if strings.Contains(p.String(), "cannot be read as YAML") || strings.Contains(p.String(), "unknown key") || strings.Contains(p.String(), "is not in this release") {
			t.Errorf("%s\n%s", p.String(), out)
		}
	}
}
