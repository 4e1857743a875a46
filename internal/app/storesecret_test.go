package app

import (
	"bytes"
	"context"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
)

// The password of a store that nobody reaches stands in no error, no log and no
// answer of check, however the start fails.
func TestTheStoresPasswordIsNeverPrinted(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	const password = "p%40ss:w0rd-of-the-store"
	plain, err := url.PathUnescape(password)
	if err != nil {
		t.Fatal(err)
	}
	for name, address := range map[string]string{
		"nobody listens":         "postgres://portreeve:" + password + "@" + nobody + "/portreeve?sslmode=disable",
		"nobody has the name":    "postgres://portreeve:" + password + "@store.invalid/portreeve",
		"as a parameter":         "postgres://portreeve@" + nobody + "/portreeve?sslmode=disable&password=" + password,
		"an address of nonsense": "postgres://portreeve:" + password + "@" + nobody + "/portreeve?sslmode=perhaps",
		"another kind of store":  "mysql://portreeve:" + password + "@" + nobody + "/portreeve",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			put(t, filepath.Join(dir, "portreeve.yaml"), "environment: test\nstore: '{{env.STORE}}'\nmasterKey: '{{env.MASTER}}'\n")
			src := Source{Path: filepath.Join(dir, "portreeve.yaml"), Getenv: vars(map[string]string{"STORE": address, "MASTER": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="})}
			var printed bytes.Buffer
			r, err := Check(src)
			if err != nil {
				t.Fatal(err)
			}
			r.Write(&printed, 200)
			a, err := New(Options{Source: src, Stderr: &printed})
			if err == nil {
				_ = a.storing.stop()
				t.Fatal("it starts")
			}
			printed.WriteString(err.Error())
			h, err := OpenHost(context.Background(), src, HostOptions{Log: &printed})
			if err == nil {
				_ = h.Close()
				t.Fatal("a command on the host opens it")
			}
			printed.WriteString(err.Error())
			for _, word := range []string{password, plain, "w0rd"} {
				if text := printed.String(); strings.Contains(text, word) {
					t.Errorf("%q stands in:\n%s", word, text)
				}
			}
		})
	}
}
