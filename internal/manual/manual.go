package manual

import (
	"fmt"
	"io/fs"

	"github.com/yuin/goldmark/ast"
)

// Options say what a site is made of.
type Options struct {
	Docs     fs.FS  // the Markdown
	Examples fs.FS  // configurations, shown as they are
	Version  string // of the release, on every page
	Folder   bool   // for a folder instead of a server
}

// File is one file of the site, by its path below the site's root.
type File struct {
	Path, Type string
	Body       []byte
}

// Index is the path of the page that a site begins with.
const Index = "index.html"

// The other files that are not pages of a text.
const (
	searchPath = "search.html"
	stylePath  = "manual.css"
	scriptPath = "manual.js"
	findPath   = "search.js"
	wordsPath  = "search-index.js"
)

const (
	htmlType   = "text/html; charset=utf-8"
	cssType    = "text/css; charset=utf-8"
	scriptType = "text/javascript; charset=utf-8"
)

// text is one document of the tree, or one page of it.
type text struct {
	source string // "howto/gateway.md", "../examples/gateway.yaml"
	path   string // "howto/gateway.html"
	group  *group
	title  string
	label  string // in lists: the title up to its colon
	raw    []byte

	pages    []*text // of a document that is several, this one among them
	number   int     // of this one, from 0
	chapters string  // from where to where it goes
	names    names   // of headings, which the pages of a document share
	tree     ast.Node

	article  []byte
	headings []heading
	sections []section // for the search
}

// heading is a heading below the title.
type heading struct {
	ID, Text string
	Level    int
}

// Make makes the site.
func Make(o Options) ([]File, error) {
	texts, groups, err := collect(o)
	if err != nil {
		return nil, err
	}
	bySource := map[string]*text{}
	for _, t := range texts {
		bySource[t.source] = t.first()
	}
	each := func(do func(*text) error) error {
		for _, t := range texts {
			if err := do(t); err != nil {
				return fmt.Errorf("%s: %w", t.source, err)
			}
		}
		return nil
	}
	// A link may lead to a page that comes later: all are read before one is written.
	if err := each((*text).read); err != nil {
		return nil, err
	}
	if err := each(func(t *text) error { return t.render(bySource) }); err != nil {
		return nil, err
	}
	out, err := frames(o, texts, groups)
	if err != nil {
		return nil, err
	}
	return append(out,
		File{stylePath, cssType, stylesheet()}, File{scriptPath, scriptType, script}, File{findPath, scriptType, findScript},
		File{wordsPath, scriptType, searchIndex(texts)}), nil
}
