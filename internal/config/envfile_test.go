package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/config"
)

func writeFile(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestEnvFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, dir, ".env", "\ufeffA=from env\nB=only env # comment\nexport C = 'sin#gle $X \\n'\r\n# D=no\nEMPTY=\nHASH=a#b\n")
	writeFile(t, dir, ".dev.vars", "A=\"from dev\"\nKEY=\"line 1\nline 2\\nline 3 \\\"q\\\" \\d\" # comment\nURL=https://x/?a=b&c=d\nTWICE=1\nTWICE=2\nLAST=x")
	lookup, err := config.EnvFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"A": "from dev", "B": "only env", "C": `sin#gle $X \n`, "EMPTY": "", "HASH": "a#b",
		"KEY": "line 1\nline 2\nline 3 \"q\" \\d", "URL": "https://x/?a=b&c=d", "TWICE": "2", "LAST": "x",
	} {
		if got, ok := lookup(name); !ok || got != want {
			t.Errorf("%s: got %q, %v, want %q", name, got, ok, want)
		}
	}
	if _, ok := lookup("D"); ok {
		t.Error("a comment set a variable")
	}
}

func TestEnvFilesNameBadLinesWithoutQuotingThem(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, dir, ".env", "A=\"x\ny\"\nhunter2\n1A=hunter2\nB='hunter2' hunter2\nC=\"hunter2\nD=1\n")
	_, err := config.EnvFiles(dir)
	if err == nil {
		t.Fatal("no error")
	}
	want := ".env:3: is not NAME=VALUE\n.env:4: is not NAME=VALUE\n.env:5: text after the closing quote\n.env:6: the quote is never closed"
	if err.Error() != want || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %s\nwant %s", err, want)
	}
}

func TestEnvFilesMayBeAbsent(t *testing.T) {
	t.Parallel()
	lookup, err := config.EnvFiles(t.TempDir())
	if _, ok := lookup("PATH"); ok || err != nil {
		t.Errorf("got %v, %v", ok, err)
	}
}
