package request

import "strings"

// Target is a request target taken apart.
type Target struct {
	Path     Path
	Query    string
	HasQuery bool
	Problems []Problem
}

// Refused reports whether the target must not get further, and why.
func (t *Target) Refused(rules PathRules) (Problem, bool) {
	for _, p := range t.Problems {
		if !rules.Report || p.Fatal() {
			return p, true
		}
	}
	return "", false
}

func (t *Target) problem(p Problem) {
	for _, q := range t.Problems {
		if q == p {
			return
		}
	}
	t.Problems = append(t.Problems, p)
}

// ParseTarget makes the canonical form of a request target in origin form or,
// its authority already compared with Host, absolute form. buf is scratch space
// for the segments and may be nil. Every problem is listed; ask Refused.
func ParseTarget(target string, rules PathRules, buf []Segment) Target {
	var t Target
	target = originForm(target)
	if target == "" || target[0] != '/' {
		t.problem(NotAPath)
		return t
	}
	if strings.IndexByte(target, '#') >= 0 {
		t.problem(Fragment)
		return t
	}
	path := target
	if i := strings.IndexByte(target, '?'); i >= 0 {
		path, t.Query, t.HasQuery = target[:i], target[i+1:], true
	}
	segs := buf[:0]
	for rest := path[1:]; ; {
		piece, tail, more := strings.Cut(rest, "/")
		if len(segs) == MaxSegments {
			t.problem(TooManyPieces)
			return t
		}
		seg := t.segment(piece)
		if piece == "" && more {
			seg.Flags |= Empty
			if len(segs) == 0 {
				t.problem(LeadingSlash)
			}
		}
		if isDots(seg.Text) {
			if !rules.ResolveDots {
				t.problem(DotSegment)
			}
			if seg.Text == ".." {
				if len(segs) == 0 {
					t.problem(AboveRoot)
				} else {
					segs = segs[:len(segs)-1]
				}
			}
			if !more { // "/a/." and "/a/b/.." name the directory "/a/"
				segs = append(segs, Segment{})
			}
		} else {
			segs = append(segs, seg)
		}
		if !more {
			break
		}
		rest = tail
	}
	for i := range segs {
		t.Path.Flags |= segs[i].Flags
	}
	if len(segs) > 1 && segs[0].Text == "" { // dots can uncover a second slash
		t.problem(LeadingSlash)
	}
	t.Path.Segments = segs
	for _, f := range [...]struct {
		flag Flag
		is   Problem
	}{{EncodedSlash, HasSlash}, {Semicolon, HasSemicolon}, {Empty, HasEmpty}, {Nested, HasNested}} {
		if t.Path.Flags&f.flag&^rules.Allow != 0 {
			t.problem(f.is)
		}
	}
	return t
}

// originForm cuts scheme and authority off an absolute-form target.
func originForm(target string) string {
	if target != "" && target[0] == '/' {
		return target
	}
	scheme, rest, ok := strings.Cut(target, "://")
	if !ok || !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
		return target
	}
	i := strings.IndexAny(rest, "/?#")
	switch {
	case i < 0:
		return "/"
	case rest[i] == '/':
		return rest[i:]
	default:
		return "/" + rest[i:]
	}
}
