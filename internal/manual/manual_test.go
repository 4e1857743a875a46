package manual

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/portreeve/portreeve/docs"
	"github.com/portreeve/portreeve/examples"
)

// site makes the site of the tree.
func site(t *testing.T, folder bool) map[string]File {
	t.Helper()
	files, err := Make(Options{Docs: docs.Files, Examples: examples.Files, Version: "v1.2.3", Folder: folder})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]File{}
	for _, f := range files {
		if _, twice := out[f.Path]; twice {
			t.Errorf("%s twice", f.Path)
		}
		out[f.Path] = f
	}
	return out
}

var (
	attribute = regexp.MustCompile(`(?:href|src|action)="([^"]*)"`)
	named     = regexp.MustCompile(` id="([^"]*)"`)
)

// Every link of every page leads to a page of the site and to a name on it, or
// names another host by https.
func TestNoLinkIsDeadOrLeadsOut(t *testing.T) {
	t.Parallel()
	files := site(t, false)
	ids := map[string][]string{}
	for p, f := range files {
		for _, m := range named.FindAllSubmatch(f.Body, -1) {
			if id := string(m[1]); slices.Contains(ids[p], id) {
				t.Errorf("%s: two things are called %q", p, id)
			} else {
				ids[p] = append(ids[p], id)
			}
		}
	}
	links := 0
	for p, f := range files {
		if !strings.HasSuffix(p, ".html") {
			continue
		}
		for _, m := range attribute.FindAllSubmatch(f.Body, -1) {
			to := string(m[1])
			if strings.HasPrefix(to, "https://") || to == "data:," {
				continue
			}
			links++
			file, id, hash := strings.Cut(to, "#")
			target := path.Join(path.Dir(p), file)
			if file == "" {
				target = p
			}
			if _, ok := files[target]; !ok || strings.HasPrefix(to, "/") {
				t.Errorf("%s: %q leads to no file of the site", p, to)
			} else if hash && !slices.Contains(ids[target], id) {
				t.Errorf("%s: %q: nothing is called so there", p, to)
			}
		}
	}
	if links < 1000 {
		t.Errorf("only %d links were looked at", links)
	}
}

// What a page holds: no script or style within, one title, and no more bytes than
// a page may have.
func TestPagesKeepTheirPolicyAndTheirSize(t *testing.T) {
	t.Parallel()
	const most = 60 << 10
	for p, f := range site(t, false) {
		if !strings.HasSuffix(p, ".html") {
			continue
		}
		if len(f.Body) > most {
			t.Errorf("%s has %d bytes", p, len(f.Body))
		}
		for _, wrong := range []string{` style="`, "<style", "javascript:", "<!-- raw HTML omitted", "http-equiv"} {
			if bytes.Contains(f.Body, []byte(wrong)) {
				t.Errorf("%s holds %s", p, wrong)
			}
		}
		for _, m := range regexp.MustCompile(`<script([^>]*)>([^<]*)`).FindAllSubmatch(f.Body, -1) {
			if !bytes.Contains(m[1], []byte(` type="module" src=`)) || len(m[2]) > 0 {
				t.Errorf("%s has a script within: %s", p, m[0])
			}
		}
		if n := bytes.Count(f.Body, []byte("<h1>")); n != 1 {
			t.Errorf("%s has %d titles", p, n)
		}
		if !bytes.Contains(f.Body, []byte("Portreeve <small>v1.2.3</small>")) {
			t.Errorf("%s does not say of which release it is", p)
		}
	}
}

// Every Markdown file of the folder is a page; each leads to the one before and
// the one after it.
func TestEveryTextIsAPage(t *testing.T) {
	t.Parallel()
	files := site(t, false)
	found := 0
	for _, pattern := range []string{"*.md", "*/*.md"} {
		list, err := filepath.Glob(filepath.Join("../../docs", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range list {
			found++
			rel, _ := filepath.Rel("../../docs", f)
			if name := strings.TrimSuffix(rel, ".md") + ".html"; files[name].Body == nil {
				t.Errorf("%s is no page: a new folder of texts is named in docs/embed.go and order.go", rel)
			}
		}
	}
	if found < 20 {
		t.Fatalf("%d texts", found)
	}
	seen, at := map[string]bool{}, Index
	next := regexp.MustCompile(`<a class="after" href="([^"]*)"`)
	for at != "" && !seen[at] {
		seen[at] = true
		m := next.FindSubmatch(files[at].Body)
		if m == nil {
			break
		}
		at = path.Join(path.Dir(at), string(m[1]))
	}
	pages := 0
	for p := range maps.Keys(files) {
		if strings.HasSuffix(p, ".html") {
			pages++
		}
	}
	if len(seen) != pages-1 { // the search is reached from all, and follows none
		t.Errorf("%d of %d pages are reached by going on", len(seen), pages-1)
	}
}

// The same texts make the same bytes; a folder differs by how scripts are loaded.
func TestAFolderIsReadWithoutAServer(t *testing.T) {
	t.Parallel()
	one, two := site(t, true), site(t, true)
	for p := range one {
		if !bytes.Equal(one[p].Body, two[p].Body) {
			t.Errorf("%s is made differently each time", p)
		}
		if bytes.Contains(one[p].Body, []byte(`<script type="module"`)) {
			t.Errorf("%s has a module, which no browser loads by file:", p)
		}
	}
	dir := t.TempDir()
	files := slices.Collect(maps.Values(one))
	begin, err := Write(dir, "v1.2/3 beta", files)
	if err != nil || begin != filepath.Join(dir, "v1.2-3-beta", "index.html") {
		t.Fatal(begin, err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(filepath.Join(dir, "v1.2-3-beta", filepath.FromSlash(f.Path)))
		if err != nil || !bytes.Equal(raw, f.Body) {
			t.Error(f.Path, err)
		}
	}
	for version, want := range map[string]string{"": "v", "..": "v..", "../x": "v..-x", "dev": "dev"} {
		if got := folderName(version); got != want {
			t.Errorf("%q becomes %q", version, got)
		}
	}
}

// made makes a site of one text.
func made(text string) (string, error) {
	files, err := Make(Options{Docs: fstest.MapFS{"index.md": {Data: []byte(text)}}, Examples: fstest.MapFS{}, Version: "v"})
	if err != nil {
		return "", err
	}
	_, body, _ := strings.Cut(string(files[0].Body), "<article>")
	body, _, _ = strings.Cut(body, "</article>")
	return strings.TrimSpace(body), nil
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"no title":                          "begins with no title",
		"# a\n\n[b](nowhere.md)":            "does not exist",
		"# a\n\n[b](javascript:alert(1))":   "https, or a file beside this one",
		"# a\n\n[b](http://example.com)":    "https, or a file beside this one",
		"# a\n\n[b](/etc/passwd)":           "https, or a file beside this one",
		"# a\n\n<script>alert(1)</script>":  "raw HTML",
		"# a\n\nb <b onclick=x>c</b>":       "raw HTML",
		"# a\n\n![p](https://example.com/)": "picture",
	} {
		if _, err := made(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestHowTextsAreWritten(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"# a\n\n- [B](#b) · [C](#c)\n\n## B\n\n## C":  `<h2 id="b"><a href="#b">B</a></h2>` + "\n" + `<h2 id="c"><a href="#c">C</a></h2>`,
		"# a\n\n## What's `x`, then?":                 `<h2 id="whats-x-then"><a href="#whats-x-then">What's <code>x</code>, then?</a></h2>`,
		"# a\n\n## B\n\n## B":                         `<h2 id="b"><a href="#b">B</a></h2>` + "\n" + `<h2 id="b-1"><a href="#b-1">B</a></h2>`,
		"# a\n\n[file](../internal/x.go)":             "<p>file</p>",
		"# a\n\n```console\n$ a <b \\\n  c\nd\n```":   `<pre tabindex="0" class="console"><code><i>$ </i><b>a &lt;b \</b>` + "\n<b>  c</b>\nd</code></pre>",
		"# a\n\n```yaml\n# check\na: \"#b\" # c\n```": `<pre tabindex="0"><code>a: &#34;#b&#34; <i># c</i></code></pre>`,
		"# a\n\n```yaml\n# file: p.yaml\na: b\n```":   `<p class="file"><code>p.yaml</code></p>` + "\n" + `<pre tabindex="0"><code>a: b</code></pre>`,
		"# a\n\n| | |\n|-|-|\n| b | |":                `<div class="table" tabindex="0"><table>` + "\n<tbody>\n<tr>\n<td>b</td>\n<td></td>\n</tr>\n</tbody>\n</table></div>",
		"# a\n\n| b | |\n|-|-|\n| c | d |":            `<div class="table" tabindex="0"><table>` + "\n<thead>\n<tr>\n<th>b</th>\n<td></td>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>c</td>\n<td>d</td>\n</tr>\n</tbody>\n</table></div>",
		"# a\n\n```\n<script>\n```":                   `<pre tabindex="0"><code>&lt;script&gt;</code></pre>`,
	} {
		got, err := made(text)
		if err != nil || got != want {
			t.Errorf("%q: %v\n%s\nnot\n%s", text, err, got, want)
		}
	}
}

// A configuration is a page: the comment that it begins with as prose, then the
// rest of the file.
func TestHowExamplesAreWritten(t *testing.T) {
	t.Parallel()
	files, err := Make(Options{Docs: fstest.MapFS{"index.md": {Data: []byte("# a")}}, Version: "v",
		Examples: fstest.MapFS{"x.yaml": {Data: []byte("# Try `a <b`,\n# then c.\n\na: 1 # one\n")}}})
	if err != nil {
		t.Fatal(err)
	}
	want := "<p>Try <code>a &lt;b</code>, then c.</p>\n<p class=\"file\"><code>examples/x.yaml</code></p>\n<pre tabindex=\"0\"><code>a: 1 <i># one</i></code></pre>\n"
	if files[1].Path != "examples/x.html" || !strings.Contains(string(files[1].Body), want) {
		t.Errorf("%s\n%s", files[1].Path, files[1].Body)
	}
}

// The script of the search finds what stands in the texts; the words of a text
// are cut by it as by us.
func TestSearching(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("node"); err != nil {
		if os.Getenv("PORTREEVE_PEERS") == "required" {
			t.Fatal("node is missing; scripts/deps.sh installs it")
		}
		t.Skip("node is missing")
	}
	files := site(t, false)
	if n := len(files[wordsPath].Body); n > 320<<10 {
		t.Errorf("the index has %d bytes", n)
	}
	for query, want := range map[string]string{
		"back-channel":          "howto/people.html#sign-in-with-a-browser",
		"TRUSTEDPROXIES header": "Behind another proxy",
		"requiredPerm":          "What they may do",
		"zzzz":                  "",
		"a":                     "",
		"<img src=x>":           "",
		"constructor __proto__": "",
	} {
		cmd := exec.Command("node", "--input-type=module", "-")
		cmd.Stdin = io.MultiReader(strings.NewReader(fmt.Sprintf(page, query)), bytes.NewReader(files[wordsPath].Body), bytes.NewReader(files[findPath].Body),
			strings.NewReader("\nconsole.log(JSON.stringify(list.items.map((i) => i.parts.map((p) => p.textContent + ' ' + (p.href ?? '')))))"))
		raw, err := cmd.CombinedOutput()
		var found [][]string
		if err != nil || json.Unmarshal(raw, &found) != nil {
			t.Fatalf("%q: %v\n%s", query, err, raw)
		}
		if text := fmt.Sprint(found); want == "" && len(found) > 0 || !strings.Contains(text, want) {
			t.Errorf("%q finds %.300s", query, text)
		}
	}
	if got := wordsOf("Ein Wort, ein x, snake_case and ΣΊΣΥΦΟΣ 2fa"); !slices.Equal(got, []string{"2fa", "and", "ein", "snake_case", "wort", "σίσυφοσ"}) {
		t.Errorf("%q", got)
	}
}

// page is as much of a page as the script looks at.
const page = `
const list = {items: [], replaceChildren(...i) { this.items = i; }, querySelector() {}};
const one = () => ({parts: [], append(...p) { this.parts = p; }, textContent: ""});
const input = {value: "", addEventListener() {}, focus() {}, form: {addEventListener() {}}};
globalThis.document = {querySelector: (s) => ({"#found": list, "input[name=q]": input}[s] ?? one()), createElement: one};
globalThis.location = {search: "?q=" + encodeURIComponent(%q), href: "http://x/", hash: ""};
`
