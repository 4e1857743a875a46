package migrate

import (
	"fmt"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/links"
	"github.com/portreeve/portreeve/internal/template"
)

const exportHead = "Short link,Deep link (link),Android package name (apn),Android fallback link (afl),Android minimum package version code (amv),iOS bundle ID (ibi),iOS fallback link (ifl),iOS custom scheme (ius),iOS iPad fallback link (ipfl),iOS iPad bundle ID (ipbi),iOS app store ID (isi),iOS minimum version (imv),Enable forced redirect? (efr),Desktop fallback link (ofl),Social title (st),Social description (sd),Social image link (si),UTM source (utm_source),UTM medium (utm_medium),UTM campaign (utm_campaign),UTM term (utm_term),UTM content (utm_content),iTunes Connect at,iTunes Connect ct,iTunes Connect mt,iTunes Connect pt,Archived?,Link name,Creation timestamp\n"

func export(rows ...string) []byte { return []byte(exportHead + strings.Join(rows, "\n") + "\n") }

func exported(short, deep string, more map[int]string) string {
	cells := make([]string, 29)
	cells[0], cells[1], cells[2], cells[5], cells[7], cells[10] = short, deep, "com.example.app", "com.example.app", "example", "123456789"
	for i, v := range more {
		cells[i] = v
	}
	return strings.Join(cells, ",")
}

// written is the fragment as the configuration's decoder reads it.
type writtenLinks struct {
	Links struct {
		Scheme   string            `json:"scheme"`
		Fallback map[string]string `json:"fallback"`
		Rules    []struct {
			Match string        `json:"match"`
			To    template.Text `json:"to"`
		} `json:"rules"`
	} `json:"links"`
}

func readBack(t *testing.T, out []byte) (w writtenLinks) {
	t.Helper()
	doc := config.Decode(out, &w, config.Options{Name: "p.yaml"})
	if doc.Failed() {
		t.Fatalf("%v\n%s", doc.Problems(), out)
	}
	return w
}

func TestDynamicLinks(t *testing.T) {
	t.Parallel()
	out, r, err := DynamicLinks(export(
		exported("https://example.page.link/m9Mm", "https://example.com/welcome?a=b&c={{x}}#top", map[int]string{27: "Welcome", 14: "Title", 17: "mail"}),
		exported("https://example.page.link/a%20b", "https://example.com/gr\u00fcn", map[int]string{13: "https://www.example.com/", 12: "true"}),
		exported("https://example.page.link/old", "https://example.com/old", map[int]string{26: "true"}),
		exported("https://example.page.link/m9Mm", "https://example.com/twice", nil),
		exported("https://other.page.link/x", "https://example.com/x", nil),
		exported("https://example.page.link/:id", "https://example.com/x", nil),
		exported("https://example.page.link/", "https://example.com/x", nil),
		exported("https://example.page.link/js", "javascript:alert(1)", nil),
		exported("https://example.page.link/user", "https://u@example.com/", nil),
		exported("https://example.page.link/none", "", nil),
		exported("https://example.page.link/two", "https://example.com/2", map[int]string{2: "com.example.two", 10: "2"}),
	), "links.csv", "")
	if err != nil {
		t.Fatal(err)
	}
	w := readBack(t, out)
	if w.Links.Scheme != "example" || w.Links.Fallback["ios"] != "https://apps.apple.com/app/id123456789" || w.Links.Fallback["android"] != "https://play.google.com/store/apps/details?id=com.example.app" ||
		w.Links.Fallback["desktop"] != "https://www.example.com/" {
		t.Errorf("%+v", w.Links)
	}
	var rules []string
	for _, rule := range w.Links.Rules {
		rules = append(rules, rule.Match+" "+rule.To.String())
	}
	if got, want := strings.Join(rules, "\n"), "/m9Mm example://example.com/welcome?a=b&c=%7B%7Bx%7D%7D#top\n/a%20b example://example.com/gr%C3%BCn\n/two example://example.com/2"; got != want {
		t.Errorf("rules:\n%s\nwant\n%s", got, want)
	}
	for _, s := range []string{"# Welcome", "TEAMID.com.example.app", "package: com.example.app", "example.page.link"} {
		if !strings.Contains(string(out), s) {
			t.Errorf("no %s in\n%s", s, out)
		}
	}
	var left strings.Builder
	for _, l := range r.Left {
		left.WriteString(l.String() + "\n")
	}
	for _, s := range []string{"/old (line 4): it is archived", "/m9Mm (line 5): its short link stands", "other.page.link/x (line 6): it is of another domain", "/:id (line 7): its path cannot", "line 8): its path cannot",
		"/js (line 9): its deep link is no URL", "/user (line 10)", "/none (line 11): it has no deep link", "1 links with another apn", "1 links with another isi", "1 links with st: a preview", "1 links with utm_source", "1 links with efr"} {
		if !strings.Contains(left.String(), s) {
			t.Errorf("nothing left says %q:\n%s", s, left.String())
		}
	}
	if again, _, _ := DynamicLinks(export(exported("https://example.page.link/m", "https://example.com/w", nil)), "l.csv", "mine"); !strings.Contains(string(again), "mine://example.com/w") {
		t.Errorf("%s", again)
	}
}

func TestExportsThatAreNone(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                 "it is empty",
		"a,b\n":            "no columns Short link and Deep link",
		exportHead + "\"a": "line 2",
		"Short link,Deep link\nhttps://a.example/b,https://a.example/c\n": "--scheme",
	} {
		if _, _, err := DynamicLinks([]byte(text), "l.csv", ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %s", text, err, want)
		}
	}
	rows := make([]string, maxLinks+50)
	for i := range rows {
		rows[i] = exported(fmt.Sprint("https://example.page.link/l", i), "https://example.com/w", nil)
	}
	out, r, err := DynamicLinks(export(rows...), "l.csv", "")
	if err != nil || len(readBack(t, out).Links.Rules) != maxLinks || len(r.Left) != 1 {
		t.Errorf("%v, %+v", err, r)
	}
}

// Whatever an export holds, what is written is a configuration whose rules are
// paths and URLs of the app's scheme.
// refusedByLinks is what the surface says of the file that an import wrote.
func refusedByLinks(out []byte) []config.Problem {
	var root struct {
		Links links.Config `json:"links"`
	}
	doc := config.Decode(out, &root, config.Options{Name: "p.yaml"})
	root.Links.Validate(doc.Report("links"))
	root.Links.ValidateHosts(doc.Report("links"), []string{"example.page.link"})
	if !doc.Failed() {
		return nil
	}
	return doc.Problems()
}

// Whatever an export holds, the file that it becomes is one that check takes.
func TestWhatIsWrittenIsTaken(t *testing.T) {
	t.Parallel()
	const own = "https://example.page.link/x"
	for row, why := range map[string]string{
		exported("https://example.page.link/a", "https://example.com:/x", nil):                               "a port or an address",
		exported("https://example.page.link/a", "https://[::1]/x", nil):                                      "a port or an address",
		exported("https://example.page.link/a", "https://example.com/../x", nil):                             "read in two ways",
		exported("https://example.page.link/a", "https://example.com/%2e%2e/x", nil):                         "read in two ways",
		exported("https://example.page.link/a", "https://example.com/%0a", nil):                              "read in two ways",
		exported("https://example.page.link/%7A", "https://example.com/x", nil):                              "stands in the file before",
		exported("https://example.page.link/apple-app-site-association", "https://example.com/", nil):        "cannot be a rule's",
		exported("https://example.page.link/a", "https://example.com/", map[int]string{13: own}):             "its commonest value cannot be used",
		exported("https://example.page.link/a", "https://example.com/", map[int]string{10: "", 6: own}):      "its commonest value cannot be used",
		exported("https://example.page.link/a", "https://example.com/", map[int]string{13: "https://a_b^/"}): "its commonest value cannot be used",
	} {
		out, r, err := DynamicLinks(export(exported("https://example.page.link/z", "https://example.com/z", map[int]string{10: "", 2: ""}), row), "x.csv", "")
		if err != nil {
			t.Fatal(err)
		}
		if problems := refusedByLinks(out); problems != nil {
			t.Errorf("%s: %v", row, problems)
		}
		if left := fmt.Sprint(r.Left); !strings.Contains(left, why) {
			t.Errorf("%s: left %s, want %s", row, left, why)
		}
	}
}

func FuzzDynamicLinks(f *testing.F) {
	f.Add("https://example.page.link/m9Mm", "https://example.com/w?{{env.HOME}}=${HOME}&&#123;&#123;x", "name: x\n# y")
	f.Add("https://example.page.link/*", "https://example.com/ %zz", "\x00\u2028")
	f.Fuzz(func(t *testing.T, short, deep, name string) {
		quote := func(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
		out, _, err := DynamicLinks(export(exported(quote(short), quote(deep), map[int]string{27: quote(name), 13: quote(deep)})), name, "")
		if err != nil {
			return
		}
		if problems := refusedByLinks(out); problems != nil {
			t.Errorf("%v\n%s", problems, out)
		}
		for _, rule := range readBack(t, out).Links.Rules {
			if _, err := gateway.ParsePattern(rule.Match); err != nil || !strings.HasPrefix(rule.To.String(), "example://") || len(rule.To.Pieces) != 1 || strings.Contains(rule.To.String(), "{") {
				t.Errorf("%s → %+v: %v", rule.Match, rule.To, err)
			}
		}
	})
}
