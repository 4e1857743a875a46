package audit

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// some makes a row of a few short texts, so that two of them are often nearly alike.
func some(t *rapid.T) row {
	s := rapid.SampledFrom([]string{"", "a", "b", "ab", "a\x00", "\x00\x00\x00\x00\x00\x00\x00\x01a"})
	d := func() string { return s.Draw(t, "text") }
	n := rapid.Int64Range(-1, 2)
	return row{
		tenant: d(), n: n.Draw(t, "n"), at: n.Draw(t, "at"), id: d(), action: d(), target: d(), result: d(), decision: d(), request: d(),
		actorKind: d(), provider: d(), issuer: d(), actorID: d(), actorUser: d(), detail: d(), actorMark: []byte(d()), targetMark: []byte(d()), keyID: d(),
	}
}

func TestDistinctRowsNeverEncodeAlike(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := some(t), some(t)
		before := rapid.SampledFrom([]string{"", "a", "\x00"})
		x, y := before.Draw(t, "before"), before.Draw(t, "before")
		alike := bytes.Equal(a.encode(nil, []byte(x)), b.encode(nil, []byte(y)))
		if same := reflect.DeepEqual(a, b) && x == y; same != alike {
			t.Fatalf("the same: %t, encode alike: %t\n%+v %q\n%+v %q", same, alike, a, x, b, y)
		}
	})
}

// FuzzEncode moves boundaries: two rows whose texts differ only in where one
// ends and the next begins.
func FuzzEncode(f *testing.F) {
	f.Add("acme", "user.changed", "u1", "", int64(1), int64(2), uint8(0))
	f.Add("a", "", "b", "c", int64(0), int64(-1), uint8(3))
	f.Fuzz(func(t *testing.T, a, b, c, d string, n, m int64, cut uint8) {
		r := row{tenant: a, action: b, target: c, detail: d, n: n, at: m, actorMark: []byte{}, targetMark: []byte{}}
		all := b + c
		at := int(cut) % (len(all) + 1)
		s := r
		s.action, s.target = all[:at], all[at:]
		if same := s.action == b; same != bytes.Equal(r.encode(nil, nil), s.encode(nil, nil)) {
			t.Fatalf("%q %q and %q %q", b, c, s.action, s.target)
		}
		s = r
		s.tenant, s.detail = d, a
		s.n, s.at = m, n
		if same := a == d && n == m; same != bytes.Equal(r.encode(nil, nil), s.encode(nil, nil)) {
			t.Fatalf("exchanged: %+v and %+v", r, s)
		}
	})
}

func TestEveryFieldOfARowIsEncoded(t *testing.T) {
	t.Parallel()
	base := row{actorMark: []byte{}, targetMark: []byte{}}
	was := base.encode(nil, nil)
	// What is not hashed, and why: the hash itself, and what the marks stand for.
	left := map[string]bool{"hash": true, "actor": true, "targetPerson": true}
	typ := reflect.TypeFor[row]()
	for i := range typ.NumField() {
		name := typ.Field(i).Name
		if left[name] {
			continue
		}
		r := base
		changed := map[string]func(){
			"tenant": func() { r.tenant = "x" }, "n": func() { r.n = 1 }, "at": func() { r.at = 1 }, "id": func() { r.id = "x" }, "action": func() { r.action = "x" },
			"target": func() { r.target = "x" }, "result": func() { r.result = "x" }, "decision": func() { r.decision = "x" }, "request": func() { r.request = "x" },
			"actorKind": func() { r.actorKind = "x" }, "provider": func() { r.provider = "x" }, "issuer": func() { r.issuer = "x" }, "actorID": func() { r.actorID = "x" },
			"actorUser": func() { r.actorUser = "x" }, "detail": func() { r.detail = "x" }, "actorMark": func() { r.actorMark = []byte("x") },
			"targetMark": func() { r.targetMark = []byte("x") }, "keyID": func() { r.keyID = "x" },
		}[name]
		if changed == nil {
			t.Errorf("the field %s is new: encode it, and say so here", name)
			continue
		}
		if changed(); bytes.Equal(r.encode(nil, nil), was) {
			t.Errorf("%s does not enter the hash", name)
		}
	}
}

// What is stored must verify in every later release.
func TestTheHashOfTheFirstRelease(t *testing.T) {
	t.Parallel()
	p := person{true, []byte("0123456789abcdef"), "Ada@Example.com", "ada@example.com", "192.0.2.7"}
	r := row{
		tenant: "acme", n: 7, at: 1_700_000_000_123, id: "id", action: "user.changed", target: "u18", result: "ok", decision: "d1", request: "r1",
		actorKind: "user", provider: "google", issuer: "https://issuer.example", actorID: "user:17", actorUser: "u17", detail: `{"to":"admin"}`,
		actorMark: p.mark(), targetMark: []byte{}, keyID: "k1",
	}
	got := hex.EncodeToString(r.sum(bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)))
	if want := "9426f91f34d9bf838600363f23f83738f734c0ede8c3bd835eedea0b9e0a31c5"; got != want {
		t.Errorf("is %s, was %s", got, want)
	}
	if other := fmt.Sprintf("%x", r.sum(bytes.Repeat([]byte{3}, 32), bytes.Repeat([]byte{2}, 32))); other == got {
		t.Error("the key does not matter")
	}
}
