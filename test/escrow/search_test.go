package escrow

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/portreeve/portreeve/internal/escrow/ends"
	"github.com/portreeve/portreeve/internal/escrow/shares"
)

// private is what must never leave the client: by name, in bytes.
type private struct {
	name string
	b    []byte
}

// ofKey are all the private numbers of a key.
func ofKey(t testing.TB, name string, k *ends.Key) (out []private) {
	t.Helper()
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal(must(k.Set()), &set); err != nil || len(set.Keys) == 0 {
		t.Fatal(err)
	}
	for _, jwk := range set.Keys {
		for _, member := range []string{"d", "p", "q", "dp", "dq", "qi"} {
			if text, ok := jwk[member].(string); ok {
				out = append(out, private{fmt.Sprint(name, " ", jwk["kty"], " ", member), must(base64.RawURLEncoding.DecodeString(text))})
			}
		}
	}
	if len(out) < 7 {
		t.Fatalf("only %d private numbers", len(out))
	}
	return out
}

// ofShares are the shares and what they hold.
func ofShares(list []shares.Share) (out []private) {
	for _, s := range list {
		out = append(out, private{fmt.Sprint("share ", s.X), s.Y[:]}, private{fmt.Sprint("the text of share ", s.X), []byte(s.String())})
	}
	return out
}

// window is how much of a number is looked for: what left in part has left.
const window = 16

// spellings are how bytes may be written: as they are, in both cases of hex, in
// every alphabet and at every place of base64, as a decimal number, as a list of
// numbers, in UTF-16, in a URL.
func spellings(b []byte) (out [][]byte) {
	add := func(s string) { out = append(out, []byte(s)) }
	if len(b) > 2*window {
		add(new(big.Int).SetBytes(b).String())
		for _, at := range []int{0, len(b)/2 - window/2, len(b) - window} {
			out = append(out, spellings(b[at:at+window])...)
		}
		return out
	}
	add(string(b))
	add(hex.EncodeToString(b))
	add(strings.ToUpper(hex.EncodeToString(b)))
	add(url.QueryEscape(string(b)))
	add(url.PathEscape(string(b)))
	var list []string
	for _, c := range b {
		list = append(list, fmt.Sprint(c))
	}
	add(strings.Join(list, ","))
	add(strings.Join(list, ", "))
	add(strings.Join(list, " "))
	if text := must(json.Marshal(string(b))); len(text) > 2 {
		add(string(text[1 : len(text)-1]))
	}
	var wide []byte
	for _, u := range utf16.Encode([]rune(string(b))) {
		wide = append(wide, byte(u), byte(u>>8))
	}
	out = append(out, wide, wide[1:])
	for _, alphabet := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for lead := range 3 { // what stands before and after decides the characters at the ends
			text := alphabet.EncodeToString(append(make([]byte, lead), b...))
			from, to := (lead*8+5)/6, len(text)
			if (lead+len(b))%3 != 0 {
				to--
			}
			add(text[from:to])
		}
	}
	return out
}

// needles are spellings by how they begin, so that a text is gone through once.
type needles struct {
	by    map[[stem]byte][]needle
	first [1 << 16]bool // by the first two bytes
}

type needle struct {
	name string
	b    []byte
}

// stem is how much of a spelling it is found by; none is shorter.
const stem = 6

func needlesOf(list []private) *needles {
	n := &needles{by: map[[stem]byte][]needle{}}
	for _, p := range list {
		for _, s := range spellings(p.b) {
			if len(s) < stem {
				panic(p.name + " is too short to look for")
			}
			key := [stem]byte(s)
			n.by[key] = append(n.by[key], needle{p.name, s})
			n.first[int(s[0])<<8|int(s[1])] = true
		}
	}
	return n
}

// in is the first of them that a text holds, "" for none. It goes through megabytes
// that nobody else has, which the race detector would make ten times as long.
//
//go:norace
func (n *needles) in(text []byte) string {
	for i := 0; i+stem <= len(text); i++ {
		if !n.first[int(text[i])<<8|int(text[i+1])] {
			continue
		}
		for _, x := range n.by[[stem]byte(text[i:])] {
			if bytes.HasPrefix(text[i:], x.b) {
				return fmt.Sprintf("%s (as %.60q at %d: …%.200q…)", x.name, x.b, i, text[max(0, i-80):min(len(text), i+80)])
			}
		}
	}
	return ""
}

// find looks for private things in a text, and in what stands in it in base64 or
// hex, and in that. It returns the name of the first one, "" for none.
func find(text []byte, list []private) string { return needlesOf(list).deep(text, depth) }

// depth is how often something coded may stand in something coded.
const depth = 2

func (n *needles) deep(text []byte, deep int) string {
	if found := n.in(text); found != "" || deep == 0 {
		return found
	}
	var inner []byte
	for _, run := range coded(text) {
		if b, err := hex.DecodeString(string(run)); err == nil {
			inner = append(append(inner, b...), '\n')
		}
		one := strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(string(run)), "=")
		one = one[:len(one)-boolean(len(one)%4 == 1)]
		if b, err := base64.RawStdEncoding.DecodeString(one); err == nil {
			inner = append(append(inner, b...), '\n')
		}
	}
	if len(inner) == 0 {
		return ""
	}
	return n.deep(inner, deep-1)
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}

// coded is what may be base64 or hex: sixteen characters of theirs and more, and
// what fills up base64.
//
//go:norace
func coded(text []byte) (out [][]byte) {
	for i := 0; i < len(text); i++ {
		from := i
		for i < len(text) && digits[text[i]] {
			i++
		}
		if i-from < 16 {
			continue
		}
		for i < len(text) && text[i] == '=' {
			i++
		}
		out = append(out, text[from:i])
		i-- // the next may begin right here
	}
	return out
}

// digits are the characters of base64, in both its alphabets, and so those of hex.
var digits = func() (is [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-") {
		is[c] = true
	}
	return is
}()

// TestTheSearchFinds: a search that finds nothing proves something only if it
// finds what is there.
func TestTheSearchFinds(t *testing.T) {
	t.Parallel()
	long := make([]byte, 192)
	for i := range long {
		long[i] = byte(i*7 + 3)
	}
	list := []private{{"the number", long}, {"the passphrase", []byte("correct horse é battery")}, {"the plaintext", []byte("hunter2!")}}
	b64 := base64.StdEncoding.EncodeToString
	for name, text := range map[string]string{
		"as it is":              "x hunter2! y",
		"in base64":             `{"a":"` + b64([]byte("hunter2!")) + `"}`,
		"within base64":         `{"a":"` + b64([]byte("the secret is hunter2! today")) + `"}`,
		"one further":           b64([]byte("ahunter2!z")),
		"two further":           b64([]byte("abhunter2!yz")),
		"base64 in base64":      b64([]byte("xyz" + b64([]byte(`{"p":"hunter2!"}`)))),
		"hex":                   hex.EncodeToString([]byte("--hunter2!--")),
		"base64 in hex":         hex.EncodeToString([]byte(b64([]byte("the secret: hunter2!")))),
		"a JSON escape":         string(must(json.Marshal("correct horse é battery"))),
		"a query":               "p=" + url.QueryEscape("correct horse é battery"),
		"a number in base64url": `"` + base64.RawURLEncoding.EncodeToString(long) + `"`,
		"a part of it":          string(long[88:110]),
		"in decimal":            new(big.Int).SetBytes(long).String(),
		"in hex":                strings.ToUpper(hex.EncodeToString(long)),
		"within a compact JWE":  base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"dir"}`)) + ".." + base64.RawURLEncoding.EncodeToString(append([]byte(`{"keys":[{"d":"`), long...)) + ".x",
		"a list":                strings.ReplaceAll(strings.Trim(fmt.Sprint(long), "[]"), " ", ", "),
	} {
		if find([]byte(text), list) == "" {
			t.Errorf("%s: not found", name)
		}
	}
	if found := find([]byte("nothing of it: "+b64([]byte("hunter3, hunter4"))), list); found != "" {
		t.Errorf("found %s", found)
	}
}
