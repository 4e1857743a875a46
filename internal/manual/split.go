package manual

import (
	"bytes"
	"fmt"
	"strings"
)

// A text longer than whole is several pages of about piece bytes each, cut where
// a chapter begins: a page of more than 60 KB is long to load and longer to read.
const (
	whole = 36 << 10
	piece = 22 << 10
)

// split is a text as its pages. The first stands where the text would; the others
// beside it under a number. They share the names of headings, so that one leads to
// the same chapter wherever it is cut.
func (t *text) split() []*text {
	if !strings.HasSuffix(t.source, ".md") || len(t.raw) <= whole {
		return []*text{t}
	}
	cut := cutChapters(t.raw)
	each := len(t.raw) / ((len(t.raw) + piece - 1) / piece)
	var pages [][]byte
	var page []byte
	left := len(t.raw)
	for i, c := range cut {
		// The first is what stands above all chapters; a short rest is no page.
		if i > 1 && len(page)+len(c)/2 > each && left > each/4 {
			pages, page = append(pages, page), nil
		}
		page, left = append(page, c...), left-len(c)
	}
	if pages = append(pages, page); len(pages) == 1 {
		return []*text{t}
	}
	var out []*text
	for i, raw := range pages {
		one := *t
		one.raw, one.number, one.chapters = raw, i, chapterRange(raw)
		if i > 0 {
			one.path = strings.TrimSuffix(t.path, ".html") + fmt.Sprintf("-%d.html", i+1)
			one.title = t.label + ": " + one.chapters
		}
		out = append(out, &one)
	}
	for _, one := range out {
		one.pages = out
	}
	return out
}

// cutChapters cuts Markdown before each heading of the second level that does not
// stand in a block of code.
func cutChapters(raw []byte) [][]byte {
	var out [][]byte
	from, at, code := 0, 0, false
	for line := range bytes.Lines(raw) {
		switch {
		case bytes.HasPrefix(line, []byte("```")):
			code = !code
		case !code && bytes.HasPrefix(line, []byte("## ")):
			out, from = append(out, raw[from:at]), at
		}
		at += len(line)
	}
	return append(out, raw[from:])
}

// chapterRange says from where to where a page's chapters go.
func chapterRange(raw []byte) string {
	var titles []string
	for _, c := range cutChapters(raw) {
		line, _, _ := bytes.Cut(c, []byte("\n"))
		if title, ok := strings.CutPrefix(string(line), "## "); ok {
			titles = append(titles, strings.TrimSpace(strings.ReplaceAll(title, "`", "")))
		}
	}
	if len(titles) == 0 {
		return ""
	}
	if first, last := titles[0], titles[len(titles)-1]; first != last {
		return first + " – " + last
	}
	return titles[0]
}

// holding is the page of a text on which a name stands; the first where none has it.
func (t *text) holding(name string) *text {
	for _, one := range t.pages {
		for _, h := range one.headings {
			if h.ID == name {
				return one
			}
		}
	}
	return t.first()
}

// first is the page with which a text begins.
func (t *text) first() *text {
	if len(t.pages) > 0 {
		return t.pages[0]
	}
	return t
}
