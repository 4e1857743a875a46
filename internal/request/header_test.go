package request

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestFold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"x-a", "x-a"}, {"X-A", "x-a"}, {"X_A", "x-a"}, {"x.a", "x-a"}, {"REMOTE_USER", "remote-user"}, {"x__a", "x--a"},
		{"", ""}, {"Cf.Access_JWT-Assertion", "cf-access-jwt-assertion"}, {"x\u212A", "x\u212A"}, {"x-a!", "x-a-"}, {"Remote!User", "remote-user"}, {"X~A|B", "x-a-b"}, {"x-1", "x-1"},
	} {
		if got := Fold(c.in); got != c.want {
			t.Errorf("Fold(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

// P2: whatever CGI makes one name of, Fold does.
func TestAliasesFoldAlike(t *testing.T) {
	t.Parallel()
	cgi := func(name string) string {
		b := []byte(name)
		for i, c := range b {
			switch {
			case 'a' <= c && c <= 'z':
				b[i] = c - 32
			case (c < 'A' || c > 'Z') && (c < '0' || c > '9'):
				b[i] = '_'
			}
		}
		return string(b)
	}
	rapid.Check(t, func(t *rapid.T) {
		gen := rapid.StringMatching(`[aAbB1!#$%&'*+.^_` + "`" + `|~-]{0,5}`)
		a, b := gen.Draw(t, "a"), gen.Draw(t, "b")
		if (cgi(a) == cgi(b)) != (Fold(a) == Fold(b)) || Fold(Fold(a)) != Fold(a) {
			t.Fatalf("%q and %q: CGI %q %q, Fold %q %q", a, b, cgi(a), cgi(b), Fold(a), Fold(b))
		}
	})
}

func TestLookUp(t *testing.T) {
	t.Parallel()
	h := Header{{"Accept", "1"}, {"accept", "2"}, {"X_A", "3"}}
	if h.Get("ACCEPT") != "1" || h.Count("Accept") != 2 || !slices.Equal(h.Values("aCCept"), []string{"1", "2"}) || !h.Has("x_a") {
		t.Error("names are not compared without case")
	}
	if h.Has("X-A") || h.Get("X-A") != "" || h.Count("X-A") != 0 || h.Values("X-A") != nil {
		t.Error("a look-up takes an alias for the name")
	}
}

func TestCookies(t *testing.T) {
	t.Parallel()
	h := Header{{"Cookie", `a=1; b = "two" ;c; a=3;;=x; A=no; q="; r="`}, {"Set-Cookie", "a=9"}, {"cookie", "a=4"}}
	for name, want := range map[string][]string{
		"a": {"1", "3", "4"}, "b": {"two"}, "A": {"no"}, "c": nil, "q": {`"`}, "r": {`"`}, "": {"x"}, "z": nil,
	} {
		if got := h.Cookies(name); !slices.Equal(got, want) {
			t.Errorf("cookie %q = %q, want %q", name, got, want)
		}
	}
}
