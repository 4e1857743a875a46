package manual

import (
	"bytes"
	_ "embed"
	"html/template"
	"slices"
	"strings"
	"unicode"

	"github.com/portreeve/portreeve/internal/pages"
)

//go:embed frame.html
var frameText string

//go:embed manual.css
var style []byte

//go:embed manual.js
var script []byte

//go:embed search.js
var findScript []byte

var frameTemplate = template.Must(template.New("frame").Parse(frameText))

// stylesheet begins with the tokens of every other page.
func stylesheet() []byte { return slices.Concat(pages.Tokens(), style) }

// What the template sees.
type (
	frame struct {
		Title, Version string
		Root           string // how the page reaches the site's root: "../"
		Script         string // the attribute that defers scripts
		Groups         []groupView
		Part           string // the group that the page is of
		Contents       []heading
		Pages          []pageView    // of a document that is several
		Moved          []moved       // the chapters on its other pages, by the names they have
		Article        template.HTML // what render made: goldmark without raw HTML
		Before, After  *link
		Found          []letter // on the search page alone
		Module         bool
	}
	link     struct{ Href, Label string }
	pageView struct {
		link
		Here bool
	}
	moved struct {
		ID string
		link
	}
	groupView struct {
		Name  string
		Long  bool
		Here  bool
		Links []navLink
	}
	navLink struct {
		link
		Here  bool
		Lower bool
	}
	letter struct {
		Name    string
		Entries []entry
	}
	entry struct {
		link
		In string // the page of a heading
	}
)

// fullContents is how many headings contents may list before they leave the lower
// ones out.
const fullContents = 40

// frames makes the pages.
func frames(o Options, texts []*text, groups []*group) ([]File, error) {
	var out []File
	make1 := func(path string, f frame) error {
		f.Version, f.Module, f.Root = o.Version, !o.Folder, strings.Repeat("../", strings.Count(path, "/"))
		f.Groups = nav(groups, path)
		var b bytes.Buffer
		if err := frameTemplate.Execute(&b, f); err != nil {
			return err
		}
		out = append(out, File{path, htmlType, b.Bytes()})
		return nil
	}
	for i, t := range texts {
		f := frame{Title: t.title, Part: t.group.Name, Article: template.HTML(t.article), Contents: outline(t.headings)} //nolint:gosec // ours, from the binary
		if i > 0 {
			f.Before = &link{relative(t.path, texts[i-1].path), texts[i-1].title}
		}
		if i < len(texts)-1 {
			f.After = &link{relative(t.path, texts[i+1].path), texts[i+1].title}
		}
		f.others(t)
		if err := make1(t.path, f); err != nil {
			return nil, err
		}
	}
	err := make1(searchPath, frame{Title: "Search and index", Part: "Start", Found: letters(texts)})
	return out, err
}

// others lists the other pages of a document. On the first one stand the names of
// all chapters, so that a link to one finds it wherever the document is cut.
func (f *frame) others(t *text) {
	for _, p := range t.pages {
		f.Pages = append(f.Pages, pageView{link{relative(t.path, p.path), p.chapters}, p == t})
		if t.number > 0 || p == t {
			continue
		}
		for _, h := range p.headings {
			f.Moved = append(f.Moved, moved{h.ID, link{relative(t.path, p.path) + "#" + h.ID, h.Text}})
		}
	}
}

// nav lists all pages as one of them sees them: of a document its first, and the
// others on its own pages alone.
func nav(groups []*group, from string) []groupView {
	var out []groupView
	for _, g := range groups {
		v := groupView{Name: g.Name, Long: g.Long}
		for _, t := range g.texts {
			here := t.path == from
			v.Here = v.Here || here
			label := t.label
			if t.number > 0 {
				if label = t.chapters; !slices.ContainsFunc(t.pages, func(p *text) bool { return p.path == from }) {
					continue
				}
			}
			v.Links = append(v.Links, navLink{link{relative(from, t.path), label}, here, t.number > 0})
		}
		out = append(out, v)
	}
	return out
}

// outline is the contents of a page.
func outline(all []heading) []heading {
	depth := 3
	if len(slices.DeleteFunc(slices.Clone(all), func(h heading) bool { return h.Level > depth })) > fullContents {
		depth = 2
	}
	var out []heading
	for _, h := range all {
		if h.Level <= depth {
			out = append(out, h)
		}
	}
	if len(out) < 2 {
		return nil
	}
	return out
}

// letters is the alphabetical index: every page and every heading of the second
// level.
func letters(texts []*text) []letter {
	var all []entry
	for _, t := range texts {
		if t.number == 0 {
			all = append(all, entry{link: link{t.path, t.title}})
		}
		for _, h := range t.headings {
			if h.Level == 2 {
				all = append(all, entry{link{t.path + "#" + h.ID, h.Text}, t.label})
			}
		}
	}
	key := func(e entry) string { return strings.ToLower(e.Label) }
	slices.SortStableFunc(all, func(x, y entry) int { return strings.Compare(key(x), key(y)) })
	var out []letter
	for _, e := range all {
		name := "#"
		if r := []rune(key(e)); len(r) > 0 && unicode.IsLetter(r[0]) {
			name = strings.ToUpper(string(r[0]))
		}
		if len(out) == 0 || out[len(out)-1].Name != name {
			out = append(out, letter{Name: name})
		}
		last := &out[len(out)-1]
		last.Entries = append(last.Entries, e)
	}
	return out
}
