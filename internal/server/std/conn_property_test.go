package std

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestTheQueueNeverFallsOutOfStep sends random sequences of good and bad
// pipelined requests in random pieces: every good one before the first bad one
// is answered in its turn with the head that net/http parsed, the bad one is
// refused, and nothing behind it happens.
func TestTheQueueNeverFallsOutOfStep(t *testing.T) {
	t.Parallel()
	bad := corpus(t)
	s := &site{}
	addr := serve(t, s, ConnOptions{})
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		var want []string
		open := true
		for i := range rapid.IntRange(1, 12).Draw(t, "requests") {
			target := fmt.Sprintf("/%d", i)
			text, got := drawRequest(t, target)
			if rapid.IntRange(0, 9).Draw(t, "refused") == 0 {
				c := rapid.SampledFrom(bad).Draw(t, "bad")
				text, got = c.head, fmt.Sprintf("%d ", c.status)
			}
			b.WriteString(text)
			if open {
				want = append(want, got)
			}
			if !strings.HasPrefix(got, "200") {
				open = false
			}
		}
		b.WriteString(last)
		if open {
			want = append(want, "200 /last 0")
		}
		var got []string
		for _, r := range exchange(tb{check: t}, addr, drawPieces(t, b.String())...) {
			got = append(got, fmt.Sprintf("%d %s", r.StatusCode, r.Header.Get("X-Got")))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%q\n%s", b.String(), diff)
		}
		s.check(tb{check: t})
	})
}

// drawRequest returns a request whose head passes, and status and X-Got of its
// answer.
func drawRequest(t *rapid.T, target string) (text, got string) {
	head := rapid.SampledFrom([]string{"GET", "POST", "PUT", "DELETE", "get"}).Draw(t, "method") + " " + target +
		rapid.SampledFrom([]string{"", "?%", "?a=/b"}).Draw(t, "query") + " HTTP/1.1\r\nHost: a\r\n"
	target = strings.Fields(head)[1]
	for range rapid.IntRange(0, 3).Draw(t, "fields") {
		head += rapid.SampledFrom([]string{"X: 1\r\n", "x:2\t\r\n", "Pragma: no-cache\r\n", "Cookie: a=b\r\n", "Upgrade: h2c\r\n",
			"Connection: x\r\n", "Trailer: X\r\n", "Y:\r\n"}).Draw(t, "field")
	}
	data := rapid.SampledFrom([]string{"", "x", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "0\r\n\r\n", strings.Repeat("y", 5000)}).Draw(t, "body")
	switch rapid.IntRange(0, 3).Draw(t, "framing") {
	case 0:
		return head + "\r\n", fmt.Sprintf("200 %s 0", target)
	case 1:
		return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(data), data), fmt.Sprintf("200 %s %d", target, len(data))
	}
	head += "Transfer-Encoding: chunked\r\n\r\n"
	for rest := data; rest != ""; {
		n := rapid.IntRange(1, len(rest)).Draw(t, "chunk")
		head += fmt.Sprintf("%x\r\n%s\r\n", n, rest[:n])
		rest = rest[n:]
	}
	if rapid.IntRange(0, 9).Draw(t, "broken") == 0 {
		return head + rapid.SampledFrom([]string{"g\r\n", "1;x\r\na\r\n", "0\n", "0\r\nHost: b\r\n\r\n"}).Draw(t, "how"), "400 "
	}
	return head + rapid.SampledFrom([]string{"0\r\n\r\n", "000\r\nX: 1\r\n\r\n"}).Draw(t, "end"), fmt.Sprintf("200 %s %d", target, len(data))
}

func drawPieces(t *rapid.T, s string) (out []string) {
	for s != "" {
		n := min(len(s), rapid.SampledFrom([]int{1, 2, 17, 100, 4096, 1 << 20}).Draw(t, "piece"))
		out, s = append(out, s[:n]), s[n:]
		if len(out) > 200 {
			return append(out, s)
		}
	}
	return out
}

// tb lets the helpers fail a rapid check.
type tb struct {
	testing.TB
	check *rapid.T
}

func (t tb) Helper()                   {}
func (t tb) Fatal(a ...any)            { t.check.Fatal(a...) }
func (t tb) Fatalf(f string, a ...any) { t.check.Fatalf(f, a...) }
func (t tb) Errorf(f string, a ...any) { t.check.Errorf(f, a...) }
