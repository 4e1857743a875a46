package actions

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestMessagesOfOtherFormsAreRefused(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{``, `null`, `[]`, `{}`, `{"kind":"exit"}`, `{"kind":"done"} {"kind":"done"}`, `{"kind":"done","else":1}`, `{"kind":"call"}`, `{"kind":"ask","method":"fetch"}`,
		`{"kind":"done","method":"access.deny"}`, `{"kind":"call","method":"access.deny","id":4}`, `{"kind":"call","method":"access.deny","args":[1,2,3,4,5]}`,
		`{"kind":"ask","method":"fetch","id":-1}`, `{"kind":"call","method":"` + strings.Repeat("x", 65) + `"}`, `{"kind":"log","lacks":["x"]}`, `{"kind":"call","method":"access.deny","args":"x"}`} {
		if m, err := parseMessage([]byte(bad)); err == nil {
			t.Errorf("%s passed: %+v", bad, m)
		}
	}
	m, err := parseMessage([]byte(`{"kind":"ask","id":7,"method":"cache.get","args":["k",null]}`))
	if err != nil || m.ID != 7 || len(m.Args) != 2 || string(m.Args[1]) != "null" {
		t.Errorf("%+v %v", m, err)
	}
}

func TestFramesAreBounded(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{"nothing in it": "\x00\x00\x00\x00", "larger than may be": "\x00\x04\x00\x01", "larger than memory": "\xff\xff\xff\xff", "cut": "\x00\x00\x00\x05abc"} {
		if b, err := readFrame(strings.NewReader(in), maxFrame); !errors.Is(err, errFrame) {
			t.Errorf("%s: %q %v", name, b, err)
		}
	}
	if _, err := readFrame(strings.NewReader(""), maxFrame); err != io.EOF {
		t.Errorf("an end is %v", err)
	}
	if err := writeFrame(io.Discard, strings.Repeat("x", 100), 50); !errors.Is(err, errFrame) {
		t.Errorf("%v", err)
	}
}

// Whatever a child sends, the parent reads a bounded message of a known form or
// none, and applying it keeps the outcome within its bounds.
func FuzzParseMessage(f *testing.F) {
	for _, seed := range []string{`{"kind":"ready","lacks":["seccomp"]}`, `{"kind":"log","text":"x"}`, `{"kind":"call","method":"access.deny","args":["no"]}`,
		`{"kind":"call","method":"user.setAppMetadata","args":["__proto__",{"a":[1]}]}`, `{"kind":"call","method":"idToken.setCustomClaim","args":["sub",1]}`,
		`{"kind":"ask","id":1,"method":"cache.set","args":["k","v",{"ttl":1e300}]}`, `{"kind":"ask","id":1,"method":"fetch","args":[{"url":"https://x"}]}`, `{"kind":"failed","why":"throws"}`, `{"kind":"done"}`} {
		var b bytes.Buffer
		_ = writeFrame(&b, json.RawMessage(seed), maxFrame)
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		r := bytes.NewReader(in)
		out := &Outcome{}
		c := caches{now: fixed}
		for {
			b, err := readFrame(r, maxFrame)
			if err != nil {
				break
			}
			m, err := parseMessage(b)
			if err != nil {
				continue
			}
			if m.Kind == kindCall {
				out.apply(PostLogin, m.Method, m.Args)
				out.apply(PreUserRegistration, m.Method, m.Args)
			}
			if m.Kind == kindAsk && m.Method != "fetch" {
				if _, err := json.Marshal(c.ask(shelf{trigger: PostLogin}, m.Method, m.Args)); err != nil {
					t.Errorf("an answer that is no JSON: %v", err)
				}
			}
			if m.Kind == kindFailed {
				f := (&run{script: Script{Name: "x.js"}}).thrown(m)
				if strings.ContainsAny(f.Error(), "\n\r\"") || len(f.Error()) > 250 {
					t.Errorf("%q", f.Error())
				}
			}
		}
		for _, set := range []map[string]json.RawMessage{out.AppMetadata, out.UserMetadata, out.IDToken, out.AccessToken} {
			for k, v := range set {
				if !json.Valid(v) || len(k) > maxKey || len(v) > maxClaims {
					t.Errorf("%q: %q", k, v)
				}
			}
		}
		for claim := range out.IDToken {
			if reservedClaim(claim) {
				t.Errorf("%q is set", claim)
			}
		}
	})
}
