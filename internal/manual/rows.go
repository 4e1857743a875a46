package manual

import (
	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
)

// row gives a row of a reference table ("key" and "value" head it) a name, and
// makes it a place that the search finds: who looks for a key does not want the
// table.
func (t *text) row(n *extast.TableRow) {
	head := n.Parent().FirstChild()
	if head.Kind() != extast.KindTableHeader || head.ChildCount() < 2 || len(t.headings) == 0 ||
		plain(head.FirstChild(), t.raw) != "key" || plain(head.FirstChild().NextSibling(), t.raw) != "value" {
		return
	}
	under, key := t.headings[len(t.headings)-1], plain(n.FirstChild(), t.raw)
	id, name := under.ID+"."+key, under.Text+"."+key // no heading's name has a dot
	if len(t.headings) == 1 && t.number == 0 {
		name = key
	}
	n.SetAttributeString("id", []byte(id))
	t.sections = append(t.sections, section{id: id, heading: name})
}

// inNamedCells reports whether a text is of what comes before the words of a row
// that has a name: its key, which is the heading, and the kind of its value.
func inNamedCells(n ast.Node) bool {
	for ; n != nil; n = n.Parent() {
		if row := n.Parent(); row != nil && row.Kind() == extast.KindTableRow {
			_, named := row.AttributeString("id")
			return named && (n == row.FirstChild() || n.PreviousSibling() == row.FirstChild())
		}
	}
	return false
}
