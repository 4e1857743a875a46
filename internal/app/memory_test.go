package app

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// What a configuration was read from does not stay in memory while it serves:
// of 10,000 routes the nodes alone are 20 MB.
func TestDocumentIsLetGo(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "portreeve.yaml")
	text := "environment: test\njwt: {secret: 0123456789012345678901234567890123456789}\n" +
		"routes:\n- {path: /a, method: get, upstream: 'http://127.0.0.1:9'}\n- {path: /b, method: get, response: x, requireAuth: true}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := New(Options{Source: Source{Path: path, Getenv: func(string) (string, bool) { return "", false }}, Stderr: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	defer a.logFile.Close()
	defer a.kept.close()
	gone := make(chan struct{})
	func() {
		l, err := a.load()
		if err != nil {
			t.Fatal(err)
		}
		b := build(l, a.deps())
		if b.Doc.Failed() {
			t.Fatal(b.Doc.Problems())
		}
		runtime.AddCleanup(b.Doc, func(c chan struct{}) { close(c) }, gone)
		a.swap(b)
	}()
	for range 20 {
		runtime.GC()
		select {
		case <-gone:
			runtime.KeepAlive(a)
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Error("the document of the configuration in service is still in memory")
}
