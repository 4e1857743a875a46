package apikey

import (
	"bufio"
	"os"
	"regexp"
	"strings"
	"testing"
)

// documented is the format as the documentation writes it, which the parser has to
// agree with on every text.
var documented = regexp.MustCompile(`^prk_(prod|test|dev)_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}[0-9A-Za-z]{6}$`)

// lines reads a file of vectors: blank-separated fields, # comments.
func lines(t *testing.T, file string) [][]string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var out [][]string
	for s := bufio.NewScanner(f); s.Scan(); {
		if line := strings.TrimSpace(s.Text()); line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, strings.Fields(line))
		}
	}
	return out
}

func TestPublishedKeysAreRead(t *testing.T) {
	t.Parallel()
	for _, v := range lines(t, "testdata/keys.txt") {
		got, err := parseKey(v[0])
		if err != nil {
			t.Errorf("%s: %v", v[0], err)
			continue
		}
		if got.env != v[1] || got.lookup != v[2] || got.prefix() != "prk_"+v[1]+"_"+v[2] || !documented.MatchString(v[0]) {
			t.Errorf("%s: environment %s, id %s", v[0], got.env, got.lookup)
		}
	}
}

func TestWhatIsNoKeyIsRefused(t *testing.T) {
	t.Parallel()
	for _, v := range lines(t, "testdata/refused.txt") {
		if _, err := parseToken(v[0]); err == nil {
			t.Errorf("%s was read, though: %s", v[0], strings.Join(v[1:], " "))
		}
	}
	for _, odd := range []string{"", "prk_", "tok_", strings.Repeat("prk_prod_", 10000), "prk_prod_\x00"} {
		if _, err := parseToken(odd); err == nil {
			t.Errorf("%.40q was read", odd)
		}
	}
}

func TestNewKeysAreRead(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for i, env := range append(Environments(), Environments()...) {
		for range 200 {
			machine := i < 3
			k := newKey(env, machine)
			if k.machine() != machine {
				t.Fatal("the class of a key is not what it was made as")
			}
			back, err := parseKey(k.text)
			if err != nil || back != k || !documented.MatchString(k.text) {
				t.Fatalf("a key of ours is not read: %v", err)
			}
			if seen[k.lookup] {
				t.Fatal("an id came twice")
			}
			seen[k.lookup] = true
		}
	}
}

// TestEveryChangeToAKeyIsNoticed flips every bit, cuts at every place, repeats
// and swaps neighbours: what does not parse never reaches the store, and what
// parses is another text, whose hash is another one.
func TestEveryChangeToAKeyIsNoticed(t *testing.T) {
	t.Parallel()
	for _, make := range []func() token{func() token { return newKey("prod", false) }, newMachineToken} {
		whole := make()
		kept := newHash(whole.text)
		if !kept.matches(whole.text) {
			t.Fatal("a token does not match its own hash")
		}
		try := func(what, s string) {
			t.Helper()
			if s == whole.text {
				return
			}
			if got, err := parseToken(s); err == nil && (got.format == formatKey || kept.matches(s)) {
				t.Errorf("%s is accepted: %q", what, s)
			}
			if kept.matches(s) {
				t.Errorf("%s matches the hash: %q", what, s)
			}
		}
		for i := range len(whole.text) {
			for bit := range 8 {
				b := []byte(whole.text)
				b[i] ^= 1 << bit
				try("a flipped bit", string(b))
			}
			try("a cut", whole.text[:i])
			try("a cut in front", whole.text[i+1:])
			try("a character less", whole.text[:i]+whole.text[i+1:])
			try("a character twice", whole.text[:i+1]+whole.text[i:])
			if i > 0 {
				b := []byte(whole.text)
				b[i-1], b[i] = b[i], b[i-1]
				try("two swapped", string(b))
			}
		}
		for _, tail := range []string{" ", "\n", "=", "0", "\x00"} {
			try("something behind", whole.text+tail)
			try("something in front", tail+whole.text)
		}
		try("upper case", strings.ToUpper(whole.text))
	}
}

func TestMachineTokenVector(t *testing.T) {
	t.Parallel()
	const (
		text = "tok_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH"
		hash = "45bb37c589ab9e3a1bdea170541a6a5f793b9e236c08f92d669c158ecf466406"
	)
	got, err := parseMachineToken(text)
	if err != nil || got.lookup != "tok_BwcH" {
		t.Fatalf("prefix %q, %v", got.lookup, err)
	}
	if d := digestOf("0011223344556677", text); d != hash {
		t.Errorf("hash %s, want %s", d, hash)
	}
	if !(hashed{"0011223344556677", hash}).matches(text) {
		t.Error("the row does not match its token")
	}
}

func TestNobodyMatchesTheDecoy(t *testing.T) {
	t.Parallel()
	if decoy().matches("") || decoy().matches(newKey("prod", false).text) {
		t.Error("the decoy matches")
	}
	if len(decoy().hash) != len(newHash("x").hash) || len(decoy().salt) != len(newHash("x").salt) {
		t.Error("the decoy is of another length than what is kept, so it costs something else")
	}
}

// FuzzParse holds the parser against the documented pattern: it reads nothing
// else, and never two texts as one.
func FuzzParse(f *testing.F) {
	f.Add("prk_prod_0123456789ab_0123456789012345678901234567890123456789012000000")
	f.Add("tok_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH")
	f.Add("prk_dev__")
	f.Add(newKey("test", true).text)
	f.Fuzz(func(t *testing.T, s string) {
		got, err := parseToken(s)
		if err != nil {
			if strings.Contains(err.Error(), s) && len(s) > 12 {
				t.Error("the error quotes the token")
			}
			return
		}
		if got.text != s || got.lookup == "" || !strings.HasPrefix(s, got.prefix()) {
			t.Errorf("%q became %+v", s, got)
		}
		if got.format == formatKey && !documented.MatchString(s) {
			t.Errorf("%q is read and is not written as a key", s)
		}
	})
}
