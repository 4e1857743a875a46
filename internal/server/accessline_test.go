package server

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/portreeve/portreeve/internal/principal"
)

// A line is the same byte for byte whoever writes it.
func TestAccessLineIsSlogs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.StringMatching(`[ -~]{0,20}`), rapid.StringMatching(`[a-z0-9/:]{0,20}`), rapid.String())
		a := &Access{RequestID: text.Draw(t, "id"), Site: text.Draw(t, "site"), Route: text.Draw(t, "route"), Method: text.Draw(t, "method"),
			Path: text.Draw(t, "path"), Status: rapid.Int().Draw(t, "status"), Bytes: rapid.Int64().Draw(t, "bytes"),
			Duration: time.Duration(rapid.Int64().Draw(t, "took")), Client: text.Draw(t, "client"), Decision: text.Draw(t, "decision"),
			Reason: text.Draw(t, "reason"), Note: text.Draw(t, "note")}
		if rapid.Bool().Draw(t, "somebody") {
			a.Who = &principal.Principal{Subject: "user-" + text.Draw(t, "subject"), Provider: text.Draw(t, "provider")}
		}
		if rapid.Bool().Draw(t, "trouble") {
			a.Err = errors.New(text.Draw(t, "error"))
		}
		var fast, slow bytes.Buffer
		(&AccessLog{Log: slog.New(slog.NewJSONHandler(&fast, nil)), JSON: &fast}).Write(a)
		(&AccessLog{Log: slog.New(slog.NewJSONHandler(&slow, nil))}).Write(a)
		if got, want := untimed(t, fast.Bytes()), untimed(t, slow.Bytes()); got != want {
			t.Fatalf("\n%s, but slog writes\n%s", got, want)
		}
	})
}

// untimed is a line without its time, which must be one.
func untimed(t *rapid.T, line []byte) string {
	const before = `{"time":"`
	rest, ok := bytes.CutPrefix(line, []byte(before))
	at, rest, found := bytes.Cut(rest, []byte(`"`))
	if _, err := time.Parse(time.RFC3339Nano, string(at)); !ok || !found || err != nil || bytes.Count(line, []byte("\n")) != 1 {
		t.Fatalf("%q is no line", line)
	}
	return string(rest)
}

// The ordinary line takes the short way.
func TestOrdinaryLineNeedsNoHandler(t *testing.T) {
	t.Parallel()
	a := &Access{RequestID: "AAAA", Site: "default", Route: "/a/:id", Method: "GET", Path: "/a/1", Status: 200, Bytes: 5, Client: "::1", Duration: time.Millisecond}
	var out bytes.Buffer
	(&AccessLog{Log: slog.New(slog.NewJSONHandler(io.Discard, nil)), JSON: &out}).Write(a)
	if out.Len() == 0 {
		t.Error("it went through the handler")
	}
}
