package manual

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// section is what stands between two headings.
type section struct {
	id, heading string
	words       []byte
}

func (s *section) add(words []byte) { s.words = append(append(s.words, ' '), words...) }

// The longest and shortest words that can be found, and in how many sections one
// may stand: what stands everywhere tells nobody where to look.
const (
	shortest  = 2
	longest   = 40
	anywhere  = 4 // one section in so many
	unstemmed = 64
)

// searchIndex is the index: pages, sections by page, and for each word the
// sections that hold it, as differences in base 36. It is a script that says so
// in a name of its own, since pages read by file: can load nothing else.
func searchIndex(texts []*text) []byte {
	type place struct {
		page    int
		id      string
		heading string
	}
	var pages [][3]string
	var places []place
	where := map[string][]int{}
	for i, t := range texts {
		pages = append(pages, [3]string{t.path, t.title, t.group.Name})
		for _, s := range t.sections {
			at := len(places)
			places = append(places, place{i, s.id, s.heading})
			for _, w := range wordsOf(s.heading + " " + string(s.words) + " " + t.title) {
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
	sections := make([][3]any, len(places))
	for i, p := range places {
		sections[i] = [3]any{p.page, p.id, p.heading}
	}
	var b bytes.Buffer
	b.WriteString("globalThis.portreeveManual = ")
	e := json.NewEncoder(&b)
	_ = e.Encode(struct {
		Pages    [][3]string `json:"pages"`
		Sections [][3]any    `json:"sections"`
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
