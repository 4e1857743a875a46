package request

import (
	"slices"
	"testing"
)

// An escape of an escape is one path to a reader who decodes once and another
// to one who decodes twice, as two hops in a row do.
func TestEscapesOfEscapes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		target string
		want   []Problem
	}{
		{"/100%25", nil},
		{"/100%25/a1", nil},
		{"/5%25off", nil},
		{"/%25%20", nil},
		{"/%2561dmin", []Problem{HasNested}},
		{"/%25%36%31dmin", []Problem{HasNested}},
		{"/a%252Fb", []Problem{HasNested}},
		{"/a%252fb", []Problem{HasNested}},
		{"/%25252561", []Problem{HasNested}},
		{"/public/%252e%252E/x", []Problem{HiddenDots, HasNested}},
		{"/public/.%252e/x", []Problem{HiddenDots, HasNested}},
		{"/public/..%252fx", []Problem{HiddenDots, HasNested}},
		{"/public/..%255cx", []Problem{HiddenDots, HasNested}},
		{"/public/..%253bx", []Problem{HiddenDots, HasNested}},
	}
	for _, tt := range tests {
		if got := ParseTarget(tt.target, PathRules{}, nil).Problems; !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.target, got, tt.want)
		}
	}
	if got := ParseTarget("/a%252Fb", PathRules{Allow: Nested}, nil); len(got.Problems) != 0 || got.Path.String() != "/a%252Fb" || got.Path.Segments[0].Value != "a%2Fb" {
		t.Errorf("allowed: %+v", got)
	}
}
