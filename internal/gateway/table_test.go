package gateway

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/portreeve/portreeve/internal/request"
)

// tableOf makes a table of "METHOD,METHOD /pattern" lines.
func tableOf(t interface{ Fatalf(string, ...any) }, fold bool, lines ...string) *Table {
	table := NewTable(fold)
	for i, l := range lines {
		methods, path, _ := strings.Cut(l, " ")
		p, err := ParsePattern(path)
		if err == nil {
			r := &Route{Key: fmt.Sprintf("routes[%d]", i), Pattern: p, Methods: strings.Split(strings.ReplaceAll(methods, "any", AnyMethod), ",")}
			err = table.Add(r)
		}
		if err != nil {
			t.Fatalf("%s: %v", l, err)
		}
	}
	return table
}

// find names the route for a request, or says what it gets.
func find(table *Table, method, path string) string {
	var params Params
	rules := request.PathRules{Allow: request.EncodedSlash | request.Semicolon | request.Empty}
	e := table.Find(request.ParseTarget(path, rules, nil).Path, &params)
	if e == nil {
		return "404"
	}
	r := e.Route(method)
	if r == nil {
		return "405 " + strings.Join(e.Allow(), ",")
	}
	params.names = r.Pattern.names
	s := r.Pattern.Text
	params.Each(func(name, value string) { s += " " + name + "=" + value })
	return s
}

func TestTheMostSpecificPatternWins(t *testing.T) {
	t.Parallel()
	table := tableOf(t, false, "GET /", "GET /a", "GET /a/", "GET /:x", "GET /a/b/c", "GET /a/:y/c", "GET /a/*", "POST /a/b", "GET /:x/b",
		"any /any", "GET /any", "HEAD /any", "GET /caf\u00e9", "GET /a%20b", "GET /u/:id", "POST /u/:uid", "GET /u/me", "OPTIONS /o", "GET /deep/:a/x", "GET /deep/b/:c/d")
	for _, c := range []struct{ method, path, want string }{
		{"GET", "/", "/"}, {"GET", "/a", "/a"}, {"GET", "/a/", "/a/"}, {"GET", "/A", "/:x x=A"}, {"GET", "/z", "/:x x=z"},
		{"GET", "/z/", "404"}, {"GET", "/a/b/c", "/a/b/c"}, {"GET", "/a/z/c", "/a/:y/c y=z"}, {"GET", "/a/b/d", "/a/* *=b/d"},
		{"GET", "/a/z", "/a/* *=z"}, {"GET", "/z/b", "/:x/b x=z"}, {"GET", "/a/%41%20", "/a/* *=A%20"},
		{"GET", "/a/b", "405 POST"}, // the pattern alone decides: /a/* is not tried
		{"POST", "/a/b", "/a/b"}, {"PUT", "/a", "405 GET,HEAD"}, {"HEAD", "/a", "/a"}, {"OPTIONS", "/a", "405 GET,HEAD"}, {"OPTIONS", "/o", "/o"},
		{"TRACE", "/a", "405 GET,HEAD"}, {"TRACE", "/any", "405 DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT"}, {"CONNECT", "/any", "405 DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT"},
		{"GET", "/any", "/any"}, {"PURGE", "/any", "/any"}, {"DELETE", "/any", "/any"}, {"get", "/a", "405 GET,HEAD"},
		{"GET", "/caf%c3%a9", "/caf\u00e9"}, {"GET", "/a%20b", "/a%20b"}, {"GET", "/%61", "/a"},
		{"GET", "/u/7", "/u/:id id=7"}, {"POST", "/u/7", "/u/:uid uid=7"}, {"GET", "/u/me", "/u/me"}, {"POST", "/u/me", "405 GET,HEAD"},
		{"GET", "/u/%C3%A9", "/u/:id id=\u00e9"}, {"GET", "/u/", "404"}, {"GET", "/u", "/:x x=u"}, {"GET", "/u/a/b", "404"},
		{"GET", "/deep/b/x", "/deep/:a/x a=b"}, {"GET", "/deep/b/x/d", "/deep/b/:c/d c=x"}, // the tree goes back where a literal leads nowhere
		// A literal never matches a flagged segment; a parameter may.
		{"GET", "/u/m%65;x", "/u/:id id=me;x"}, {"GET", "/a%2Fb", "/:x x=a/b"}, {"GET", "/a//c", "/a/* *=/c"}, {"GET", "/u//", "404"},
	} {
		if got := find(table, c.method, c.path); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.method, c.path, got, c.want)
		}
	}
}

func TestHeadIsAnsweredAsGetAsks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		routes []string
		want   int // which route answers HEAD
	}{
		{[]string{"any /a", "GET /a"}, 1}, {[]string{"any /a", "GET,HEAD /a"}, 1}, {[]string{"GET /a", "HEAD /a"}, 1}, {[]string{"POST /a", "any /a"}, 1}, {[]string{"GET,POST /a", "any /a"}, 0},
	} {
		table := tableOf(t, false, c.routes...)
		var params Params
		r := table.Find(request.ParseTarget("/a", request.PathRules{}, nil).Path, &params).Route("HEAD")
		if want := fmt.Sprintf("routes[%d]", c.want); r == nil || r.Key != want {
			t.Errorf("%q: HEAD goes to %v, want %s", c.routes, r, want)
		}
	}
}

func TestFoldedCase(t *testing.T) {
	t.Parallel()
	table := tableOf(t, true, "GET /Admin/Users", "GET /admin/:x")
	for path, want := range map[string]string{"/ADMIN/users": "/Admin/Users", "/aDmin/Else": "/admin/:x x=Else", "/other": "404"} {
		if got := find(table, "GET", path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if find(tableOf(t, false, "GET /Admin"), "GET", "/admin") != "404" {
		t.Error("paths are case-sensitive unless pathCase says fold")
	}
}

func TestTies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fold       bool
		first, new string
		ties       bool
	}{
		{false, "GET /a", "GET /a", true}, {false, "GET /a", "POST /a", false}, {false, "GET,POST /a", "PUT,POST /a", true},
		{false, "GET /:x", "GET /:y", true}, {false, "GET /:x", "GET /*", false}, {false, "GET /*", "GET /*", true}, {false, "any /a", "any /a", true},
		{false, "any /a", "GET /a", false}, {false, "GET /a", "any /a", false}, {false, "GET /a", "GET /A", false}, {true, "GET /a", "GET /A", true},
		{false, "GET /a%62", "GET /ab", true}, {false, "GET /caf\u00e9", "GET /caf%C3%A9", true}, {false, "GET /a", "GET /a/", false},
	} {
		table := tableOf(t, c.fold, c.first)
		methods, path, _ := strings.Cut(c.new, " ")
		err := table.Add(&Route{Key: "routes[1]", Pattern: must(ParsePattern(path)), Methods: strings.Split(strings.ReplaceAll(methods, "any", AnyMethod), ",")})
		if (err != nil) != c.ties || err != nil && !strings.Contains(err.Error(), "ties with routes[0]") {
			t.Errorf("%s beside %s: %v", c.new, c.first, err)
		}
	}
}

// pick chooses among patterns without a tree: of those that match, the one that
// is more specific at the first segment where they differ.
func pick(patterns []string, path string) string {
	segs := strings.Split(path[1:], "/")
	best, bestRank := "404", ""
	for _, p := range patterns {
		rank, ok := "", true
		pieces := strings.Split(p[1:], "/")
		for i, piece := range pieces {
			switch {
			case piece == "*" && i < len(segs):
				rank += "1"
			case i >= len(segs):
				ok = false
			case strings.HasPrefix(piece, ":") && segs[i] != "":
				rank += "2"
			case piece == segs[i]:
				rank += "3"
			default:
				ok = false
			}
		}
		if ok && (len(pieces) == len(segs) || pieces[len(pieces)-1] == "*" && len(pieces) <= len(segs)) && rank > bestRank {
			best, bestRank = p, rank
		}
	}
	return best
}

// The order in the file never decides, and what is chosen is what a plain
// reading of the rule chooses.
func TestOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		piece := rapid.SampledFrom([]string{"a", "b", ":x", "c"})
		patterns := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) string {
			p := ""
			for i, n := 0, rapid.IntRange(1, 4).Draw(t, "n"); i < n; i++ {
				s := piece.Draw(t, "piece")
				if s == ":x" {
					s += fmt.Sprint(i)
				}
				p += "/" + s
			}
			return p + rapid.SampledFrom([]string{"", "/*", "/"}).Draw(t, "end")
		}), 1, 12, func(s string) string { return s }).Draw(t, "patterns")
		lines := make([]string, len(patterns))
		for i, p := range patterns {
			lines[i] = "GET " + p
		}
		one := tableOf(t, false, lines...)
		other := tableOf(t, false, rapid.Permutation(lines).Draw(t, "order")...)
		for range 8 {
			path := "/" + strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d", ""}), 1, 5).Draw(t, "path"), "/")
			if slices.Contains(strings.Split(path[1:], "/")[:strings.Count(path, "/")-1], "") {
				continue // empty segments stand in the table test
			}
			a, b := find(one, "GET", path), find(other, "GET", path)
			want, _, _ := strings.Cut(a, " ")
			if a != b || want != pick(patterns, path) {
				t.Fatalf("%s of %q: %q, in another order %q, by the rule %q", path, patterns, a, b, pick(patterns, path))
			}
		}
	})
}
