package manual

import (
	"bytes"
	"encoding/json"
	"html"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/yuin/goldmark/ast"
)

// section is what stands between two headings.
type section struct {
	id, heading string
	words       []byte
	opening     []byte // how its prose begins, for people
}

func (s *section) add(words []byte) { s.words = append(append(s.words, ' '), words...) }

// open adds a piece of prose to the opening, while it has room.
func (s *section) open(words []byte, space bool) {
	if len(s.opening) > glance {
		return
	}
	if s.opening = append(s.opening, words...); space {
		s.opening = append(s.opening, ' ')
	}
}

// endsBlock reports whether a text is the last of its paragraph, cell or item.
func endsBlock(n ast.Node) bool {
	for ; n.Type() == ast.TypeInline; n = n.Parent() {
		if n.NextSibling() != nil {
			return false
		}
	}
	return true
}

// glimpse is the opening, cut between words.
func (s *section) glimpse() string {
	text := strings.Join(strings.Fields(html.UnescapeString(string(s.opening))), " ")
	if len(text) <= glance {
		return text
	}
	return text[:strings.LastIndexByte(text[:glance], ' ')+1] + "…"
}

// The longest and shortest words that can be found, and in how many sections one
// may stand: what stands everywhere tells nobody where to look.
const (
	shortest  = 2
	longest   = 40
	anywhere  = 4 // one section in so many
	unstemmed = 64
	glance    = 100 // how much of a section is shown beside its heading
)

// searchIndex is the index: pages, sections by page, and for each word the
// sections that hold it, as differences in base 36. It is a script that says so
// in a name of its own, since pages read by file: can load nothing else.
func searchIndex(texts []*text) []byte {
	type place struct {
		page    int
		section *section
	}
	var pages [][3]string
	var places []place
	where := map[string][]int{}
	for i, t := range texts {
		pages = append(pages, [3]string{t.path, t.first().title, t.group.Name})
		for j := range t.sections {
			s := &t.sections[j]
			if t.number > 0 && s.heading == "" {
				continue // nothing stands above the first chapter but on the first page
			}
			at := len(places)
			places = append(places, place{i, s})
			for _, w := range wordsOf(s.heading + " " + string(s.words) + " " + t.first().title) {
				if list := where[w]; len(list) == 0 || list[len(list)-1] != at {
					where[w] = append(list, at)
				}
			}
		}
	}
	var list []string
	for w, at := range where {
		if len(at) > unstemmed && len(at)*anywhere > len(places) {
			continue
		}
		list = append(list, w)
	}
	slices.Sort(list)
	var packed strings.Builder
	for i, w := range list {
		if i > 0 {
			packed.WriteByte('\n')
		}
		packed.WriteString(w)
		before := 0
		for _, at := range where[w] {
			packed.WriteByte(' ')
			packed.WriteString(strconv.FormatInt(int64(at-before), 36))
			before = at
		}
	}
	sections := make([][4]any, len(places))
	for i, p := range places {
		sections[i] = [4]any{p.page, p.section.id, p.section.heading, p.section.glimpse()}
	}
	var b bytes.Buffer
	b.WriteString("globalThis.portreeveManual = ")
	e := json.NewEncoder(&b)
	_ = e.Encode(struct {
		Pages    [][3]string `json:"pages"`
		Sections [][4]any    `json:"sections"`
		Words    string      `json:"words"`
	}{pages, sections, packed.String()})
	return b.Bytes()
}

// wordsOf are the words of a text, each once, in the order of the alphabet; the
// script of the search page cuts what is typed in the same way.
func wordsOf(s string) []string {
	list := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' })
	list = slices.DeleteFunc(list, func(w string) bool { n := len([]rune(w)); return n < shortest || n > longest })
	slices.Sort(list)
	return slices.Compact(list)
}
