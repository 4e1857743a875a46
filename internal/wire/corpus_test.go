package wire

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

type refusedHead struct {
	name, head string
	status     int
}

// corpus reads testdata/refused.txt.
func corpus(tb testing.TB) []refusedHead {
	tb.Helper()
	b, err := os.ReadFile("testdata/refused.txt")
	if err != nil {
		tb.Fatal(err)
	}
	var out []refusedHead
	for line := range strings.Lines(string(b)) {
		cols := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(cols) != 3 {
			continue
		}
		status, err1 := strconv.Atoi(cols[0])
		head, err2 := strconv.Unquote(cols[2])
		if err1 != nil || err2 != nil {
			tb.Fatalf("%q: %v %v", line, err1, err2)
		}
		out = append(out, refusedHead{cols[1], head, status})
	}
	if len(out) < 50 {
		tb.Fatalf("only %d heads", len(out))
	}
	return out
}
