package manual

import (
	"bytes"
	"fmt"
	"html"
	"path"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	gtext "github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

func markdown() goldmark.Markdown {
	// No style attributes: the policy has none.
	return goldmark.New(goldmark.WithExtensions(extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignNone))),
		goldmark.WithParserOptions(parser.WithAutoHeadingID()),
		goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(pieces{}, 100))))
}

// read makes a tree of a Markdown text.
func (t *text) read() error {
	if !strings.HasSuffix(t.source, ".md") {
		return nil
	}
	t.tree = markdown().Parser().Parse(gtext.NewReader(t.raw), parser.WithContext(parser.NewContext(parser.WithIDs(t.names))))
	return t.readTree(t.tree)
}

// render makes the article of a text that was read.
func (t *text) render(all map[string]*text) error {
	if t.tree == nil {
		return t.renderExample()
	}
	err := ast.Walk(t.tree, func(n ast.Node, in bool) (ast.WalkStatus, error) {
		if link, ok := n.(*ast.Link); ok && in {
			to, err := t.lead(string(link.Destination), all)
			if err != nil {
				return ast.WalkStop, err
			}
			link.Destination = []byte(to)
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := markdown().Renderer().Render(&b, t.raw, t.tree); err != nil {
		return err
	}
	t.article = b.Bytes()
	return nil
}

// readTree takes out what the page's frame has (title, hand-made contents), and
// collects headings and words.
func (t *text) readTree(doc ast.Node) error {
	if h, ok := doc.FirstChild().(*ast.Heading); ok && h.Level == 1 {
		doc.RemoveChild(doc, h)
	}
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		if _, heading := n.(*ast.Heading); heading {
			break
		}
		if list, ok := n.(*ast.List); ok && contents(list) {
			doc.RemoveChild(doc, list)
			break
		}
	}
	t.sections = []section{{}}
	return ast.Walk(doc, func(n ast.Node, in bool) (ast.WalkStatus, error) {
		if !in {
			return ast.WalkContinue, nil
		}
		last := &t.sections[len(t.sections)-1]
		switch n := n.(type) {
		case *ast.Heading:
			id, _ := n.AttributeString("id")
			raw, _ := id.([]byte)
			h := heading{ID: string(raw), Text: plain(n, t.raw), Level: n.Level}
			t.headings = append(t.headings, h)
			t.sections = append(t.sections, section{id: h.ID, heading: h.Text})
		case *extast.TableRow:
			t.row(n)
		case *ast.Text:
			last.add(n.Segment.Value(t.raw))
			if !within(n, ast.KindHeading) && !within(n, extast.KindTableHeader) && !inNamedCells(n) {
				last.open(n.Segment.Value(t.raw), n.SoftLineBreak() || endsBlock(n))
			}
		case *ast.FencedCodeBlock:
			last.add(n.Lines().Value(t.raw))
		case *ast.Image:
			return ast.WalkStop, fmt.Errorf("a picture: the policy of the pages has none")
		case *ast.RawHTML, *ast.HTMLBlock:
			return ast.WalkStop, fmt.Errorf("raw HTML: write it as code, or not at all")
		}
		return ast.WalkContinue, nil
	})
}

// contents reports whether a list is contents made by hand: nothing but links
// into its own page.
func contents(list *ast.List) bool {
	links, own := 0, 0
	_ = ast.Walk(list, func(n ast.Node, in bool) (ast.WalkStatus, error) {
		if link, ok := n.(*ast.Link); ok && in {
			links++
			if bytes.HasPrefix(link.Destination, []byte("#")) {
				own++
			}
		}
		return ast.WalkContinue, nil
	})
	return links > 1 && links == own
}

// lead turns a link of a text into one of its page. What of the repository is no
// page has no address here: "" leaves the words without one.
func (t *text) lead(to string, all map[string]*text) (string, error) {
	if name, own := strings.CutPrefix(to, "#"); own {
		if there := t.holding(name); there.path != t.path && len(t.pages) > 0 {
			return relative(t.path, there.path) + to, nil
		}
		return to, nil
	}
	if strings.HasPrefix(to, "https://") {
		return to, nil
	}
	if strings.Contains(to, ":") || strings.HasPrefix(to, "/") {
		return "", fmt.Errorf("a link to %q: https, or a file beside this one", to)
	}
	file, fragment, _ := strings.Cut(to, "#")
	source := path.Join(path.Dir(t.source), file)
	other := all[source]
	if other == nil {
		if strings.HasSuffix(source, ".md") && !strings.HasPrefix(source, "../") {
			return "", fmt.Errorf("a link to %q, which does not exist", to)
		}
		return "", nil
	}
	if fragment != "" {
		other, fragment = other.holding(fragment), "#"+fragment
	}
	return relative(t.path, other.path) + fragment, nil
}

// relative is how one page of the site names another.
func relative(from, to string) string {
	return strings.Repeat("../", strings.Count(from, "/")) + to
}

// plain is what of a node people read.
func plain(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, in bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Text:
			if in {
				b.Write(n.Segment.Value(source))
			}
		case *ast.String:
			if in {
				b.Write(n.Value)
			}
		}
		return ast.WalkContinue, nil
	})
	return html.UnescapeString(b.String())
}

// names gives headings the names that GitHub gives them.
type names map[string]bool

// Generate returns the name of a heading.
func (ids names) Generate(value []byte, _ ast.NodeKind) []byte {
	var b strings.Builder
	for _, r := range strings.ToLower(string(value)) {
		switch {
		case r == ' ' || r == '-':
			b.WriteByte('-')
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_':
			b.WriteRune(r)
		}
	}
	name := b.String()
	for i := 1; ids[name]; i++ {
		name = fmt.Sprintf("%s-%d", b.String(), i)
	}
	ids[name] = true
	return []byte(name)
}

// Put takes a name.
func (ids names) Put(value []byte) { ids[string(value)] = true }

// pieces writes what is not as goldmark writes it.
type pieces struct{}

// RegisterFuncs is goldmark's.
func (pieces) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindHeading, headingHTML)
	r.Register(ast.KindFencedCodeBlock, codeHTML)
	r.Register(ast.KindLink, linkHTML)
	r.Register(extast.KindTable, tableHTML)
	r.Register(extast.KindTableHeader, tableHeaderHTML)
	r.Register(extast.KindTableCell, tableCellHTML)
}

func headingHTML(w util.BufWriter, _ []byte, node ast.Node, in bool) (ast.WalkStatus, error) {
	n := node.(*ast.Heading)
	if !in {
		fmt.Fprintf(w, "</a></h%d>\n", n.Level)
		return ast.WalkContinue, nil
	}
	id, _ := n.AttributeString("id")
	raw, _ := id.([]byte)
	name := html.EscapeString(string(raw))
	fmt.Fprintf(w, `<h%d id="%s"><a href="#%s">`, n.Level, name, name)
	return ast.WalkContinue, nil
}

func linkHTML(w util.BufWriter, _ []byte, node ast.Node, in bool) (ast.WalkStatus, error) {
	n := node.(*ast.Link)
	switch {
	case len(n.Destination) == 0 || within(n, ast.KindHeading): // a heading is a link already
	case in:
		fmt.Fprintf(w, `<a href="%s">`, util.EscapeHTML(util.URLEscape(n.Destination, true)))
	default:
		_, _ = w.WriteString("</a>")
	}
	return ast.WalkContinue, nil
}

func within(n ast.Node, kind ast.NodeKind) bool {
	for ; n != nil; n = n.Parent() {
		if n.Kind() == kind {
			return true
		}
	}
	return false
}

// tableHTML puts a table where it can be scrolled, by keyboard too.
func tableHTML(w util.BufWriter, _ []byte, node ast.Node, in bool) (ast.WalkStatus, error) {
	if in {
		_, _ = w.WriteString("<div class=\"table\" tabindex=\"0\"><table>\n")
	} else {
		_, _ = w.WriteString("</table></div>\n")
	}
	return ast.WalkContinue, nil
}

// tableHeaderHTML leaves out a header row in which nothing stands: Markdown wants
// one, a reader has no use for it.
func tableHeaderHTML(w util.BufWriter, _ []byte, node ast.Node, in bool) (ast.WalkStatus, error) {
	empty := true
	for cell := node.FirstChild(); cell != nil; cell = cell.NextSibling() {
		empty = empty && !cell.HasChildren()
	}
	switch {
	case in && empty:
		_, _ = w.WriteString("<tbody>\n")
		return ast.WalkSkipChildren, nil
	case in:
		_, _ = w.WriteString("<thead>\n<tr>\n")
	case !empty:
		_, _ = w.WriteString("</tr>\n</thead>\n<tbody>\n")
	}
	return ast.WalkContinue, nil
}

// tableCellHTML writes a cell. A header says something: an empty one is a cell.
func tableCellHTML(w util.BufWriter, _ []byte, node ast.Node, in bool) (ast.WalkStatus, error) {
	name := "td"
	if node.Parent().Kind() == extast.KindTableHeader && node.HasChildren() {
		name = "th"
	}
	if in {
		_, _ = w.WriteString("<" + name + ">")
	} else {
		_, _ = w.WriteString("</" + name + ">\n")
	}
	return ast.WalkContinue, nil
}

func codeHTML(w util.BufWriter, source []byte, node ast.Node, in bool) (ast.WalkStatus, error) {
	if in {
		n := node.(*ast.FencedCodeBlock)
		writeCode(w, string(n.Language(source)), string(n.Lines().Value(source)))
	}
	return ast.WalkSkipChildren, nil
}
