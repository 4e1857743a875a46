package jws_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/jws"
)

func TestClaims(t *testing.T) {
	t.Parallel()
	got, err := jws.DecodeClaims([]byte(`{"s":"a\u00e9\ud83d\ude00\n\/","n":1.50e+3,"z":-0,"t":true,"f":false,"x":null,"l":[1,[],{}],"o":{"p":{"q":"r"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"s": "aé😀\n/", "n": json.Number("1.50e+3"), "z": json.Number("-0"), "t": true, "f": false, "x": nil,
		"l": []any{json.Number("1"), []any{}, map[string]any{}},
		"o": map[string]any{"p": map[string]any{"q": "r"}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestClaimsThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing": "", "a text": `"a"`, "a list": "[]", "null": "null",
		"sub twice": `{"sub":"a","sub":"b"}`, "sub twice in other spelling": `{"sub":"a","\u0073ub":"b"}`,
		"twice in an object of a list": `{"a":[{"b":1,"b":1}]}`,
		"deep":                         strings.Repeat(`{"a":`, 33) + "1" + strings.Repeat("}", 33),
		"long":                         `{"a":"` + strings.Repeat("a", jws.MaxToken) + `"}`,
		"leading zero":                 `{"exp":01}`, "a plus": `{"exp":+1}`, "a bare point": `{"exp":.5}`, "a point behind": `{"exp":5.}`,
		"hex": `{"exp":0x10}`, "NaN": `{"exp":NaN}`, "Infinity": `{"exp":-Infinity}`, "no exponent": `{"exp":1e}`,
		"single quotes": `{'a':1}`, "no colon": `{"a" 1}`, "a missing value": `{"a":}`, "an open text": `{"a":"b}`,
		"a control character": "{\"a\":\"\x01\"}", "a line break in a text": "{\"a\":\"\n\"}", "a bad escape": `{"a":"\x41"}`,
		"a bad unicode escape": `{"a":"\u12g4"}`, "a cut unicode escape": `{"a":"\u12`, "a low half alone": `{"a":"\udc00"}`,
		"two high halves": `{"a":"\ud800\ud800"}`, "a high half and a letter": `{"a":"\ud800x"}`, "text behind": `{} x`, "NUL behind": "{}\x00",
		"cnf": `{"sub":"a","cnf":{"jkt":"x"}}`, "cnf null": `{"cnf":null}`,
	} {
		if got, err := jws.DecodeClaims([]byte(text)); !errors.Is(err, jws.ErrMalformed) || got != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// FuzzDecodeObject holds our reader against encoding/json: what we accept it
// accepts with the same values; what it accepts and we do not has one of the
// reasons for which the reader exists.
func FuzzDecodeObject(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"a":1}`, `{"a":[1,2,{"b":null}],"c":"\u00e9\ud83d\ude00"}`, `{"a":1,"a":2}`, `{"a":"\ud800"}`, "{\"a\":\"\xff\"}",
		`{"exp":1e400,"x":-0.0E-1}`, strings.Repeat(`{"a":`, 40), ` { "a" : true } `, `{"a":"\b\f\n\r\t\"\\\/"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ours, err := jws.DecodeObject(b, 1<<16)
		var theirs map[string]any
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber()
		theirErr := d.Decode(&theirs)
		if theirErr == nil && theirs != nil && d.More() {
			theirErr = errors.New("more")
		}
		if err != nil {
			return
		}
		if theirErr != nil {
			t.Fatalf("accepted %q, encoding/json: %v", b, theirErr)
		}
		if diff := cmp.Diff(theirs, ours); diff != "" {
			t.Fatal(diff)
		}
	})
}
