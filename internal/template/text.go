package template

import "strings"

// Piece is a stretch of a configured text.
type Piece struct {
	Text string
	// Literal marks what came from outside the file, or from an escape. It is
	// never scanned for templates.
	Literal bool
}

// Text is a configured text whose values from outside are already resolved and
// whose request templates are not yet compiled. The zero Text is empty.
type Text struct{ Pieces []Piece }

// Parse makes a Text of one piece that will be scanned.
func Parse(s string) Text {
	if s == "" {
		return Text{}
	}
	return Text{Pieces: []Piece{{Text: s}}}
}

// IsZero reports whether the text is empty.
func (t Text) IsZero() bool {
	for _, p := range t.Pieces {
		if p.Text != "" {
			return false
		}
	}
	return true
}

// String is the text for messages: as it stands in the file, with an ellipsis
// for what came from outside, which no message may quote.
func (t Text) String() string {
	var b strings.Builder
	for _, p := range t.Pieces {
		if p.Literal {
			b.WriteString("…")
		} else {
			b.WriteString(p.Text)
		}
	}
	return b.String()
}

// Tree is any JSON value whose strings may hold templates. Value is nil, a
// bool, a json.Number, a Text, a []Tree or a []Member (an object, in the order
// of the file).
type Tree struct{ Value any }

// Member is one name and value of an object. The name is never a template.
type Member struct {
	Name  string
	Value Tree
}
