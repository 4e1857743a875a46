package main

import (
	"slices"
	"strings"
	"testing"
)

func TestAThumbprintMayBeginWithAHyphen(t *testing.T) {
	t.Parallel()
	thumb := "-" + strings.Repeat("A", 42)
	for _, c := range []struct{ in, want []string }{
		{[]string{"escrow", "open", "--signer", thumb, "sec_1"}, []string{"escrow", "open", "--signer=" + thumb, "sec_1"}},
		{[]string{"--signer", "--all"}, []string{"--signer", "--all"}},
		{[]string{"--signer", strings.Repeat("A", 43), "--signer"}, []string{"--signer", strings.Repeat("A", 43), "--signer"}},
	} {
		if got := joined(c.in); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q", c.in, got)
		}
	}
	var problem strings.Builder
	if code := run([]string{"escrow", "open", "--export", "nothing.json", "--signer", thumb, "--list"}, streams{in: strings.NewReader(""), out: &problem, err: &problem, env: func(string) (string, bool) { return "", false }}); code != exitRefused || strings.Contains(problem.String(), "flag") {
		t.Errorf("%d %s", code, problem.String())
	}
}
