package manual

import (
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

// A text that is too long for one page is cut where a chapter begins, outside code.
// Links to its chapters, its own and others', find the page; whoever holds an old
// link to the first page finds the chapter's name there.
func TestALongTextIsSeveralPages(t *testing.T) {
	t.Parallel()
	fill := strings.Repeat("Words and more words.\n", 900) // 19 KB
	long := "# Long: all of it\n\nAbove. [To three](#three)\n\n## One\n\n```sh\n## no chapter\n```\n\n" + fill + "\n## Two\n\n" + fill + "\n## Three\n\n[Back](#one), [beside](#four)\n\n" + fill +
		"\n## Four\n\n| key | value | |\n|-|-|-|\n| `a` | text | is so. |\n"
	files, err := Make(Options{Docs: fstest.MapFS{"index.md": {Data: []byte("# a\n\n[x](long.md#three) [y](long.md)")}, "long.md": {Data: []byte(long)}}, Examples: fstest.MapFS{}, Version: "v"})
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string]string{}
	for _, f := range files {
		pages[f.Path] = string(f.Body)
	}
	for page, wants := range map[string][]string{
		"index.html": {`<a href="long-3.html#three">x</a>`, `<a href="long.html">y</a>`, `<a href="long.html">Long</a>`},
		"long.html": {`<h1>Long: all of it</h1>`, `<a href="long-3.html#three">To three</a>`, `<h2 id="one">`, `## no chapter`,
			`<li id="two"><a href="long-2.html#two">Two</a></li>`, `<li id="four"><a href="long-3.html#four">Four</a></li>`, `<span aria-current="page">One</span>`},
		"long-2.html": {`<h1>Long: Two</h1>`, `<h2 id="two">`},
		"long-3.html": {`<a href="long.html#one">Back</a>`, `<a href="#four">beside</a>`, `<tr id="four.a">`, `<li class="lower"><a href="long-3.html" aria-current="page">Three – Four</a></li>`},
		wordsPath:     {`"four.a","Four.a","is so."`},
	} {
		for _, want := range wants {
			if !strings.Contains(pages[page], want) {
				t.Errorf("%s has no %s", page, want)
			}
		}
	}
	if strings.Contains(pages["index.html"], `class="lower"`) {
		t.Error("another page lists the pages of a text")
	}
	if n := len(regexp.MustCompile(`id="three"`).FindAllString(pages["long.html"]+pages["long-2.html"]+pages["long-3.html"], -1)); n != 2 {
		t.Errorf("a chapter's name stands %d times", n)
	}
}
