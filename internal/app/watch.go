package app

import (
	"context"
	"crypto/sha256"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

// quiet is how long nothing may change before a reload: an editor or a secret
// mount writes in several steps.
const quiet = 250 * time.Millisecond

// watch reloads when the content of the configuration or of a file that it
// names changes. Folders are watched, not files, so that a replaced file and a
// swapped symbolic link are seen.
func (a *App) watch(ctx context.Context) (stop func(), err error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	go func() {
		var timer <-chan time.Time
		seen := contents(a.watched())
		follow(w, a.watched())
		for {
			select {
			case <-ctx.Done():
				return
			case _, ok := <-w.Events:
				if !ok {
					return
				}
				timer = time.After(quiet)
			case err, ok := <-w.Errors:
				if !ok {
					return
				}
				a.log.Warn("watching the configuration", "error", err.Error())
				timer = time.After(quiet)
			case <-timer:
				timer = nil
				follow(w, a.watched())
				now := contents(a.watched())
				if now == seen {
					continue
				}
				seen = now
				_ = a.Reload() // reported by Reload
				follow(w, a.watched())
				seen = contents(a.watched())
			}
		}
	}()
	return func() { _ = w.Close() }, nil
}

// watched lists the files that the configuration in service depends on.
func (a *App) watched() []string {
	g := a.current.Load()
	files := append([]string{g.abs(filepath.Base(g.Path))}, g.Doc.Files()...)
	files = append(files, g.Files...)
	if g.Env != "prod" {
		files = append(files, filepath.Join(g.Dir, ".dev.vars"), filepath.Join(g.Dir, ".env"))
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// follow watches the folders of files, and those that symbolic links on the way
// lead to.
func follow(w *fsnotify.Watcher, files []string) {
	for _, f := range files {
		_ = w.Add(filepath.Dir(f)) // a folder that is missing is reported by the load
		if real, err := filepath.EvalSymlinks(f); err == nil && real != f {
			_ = w.Add(filepath.Dir(real))
		}
	}
}

// contents is a digest of all the files together.
func contents(files []string) [32]byte {
	h := sha256.New()
	for _, f := range files {
		raw, err := os.ReadFile(f)
		sum := sha256.Sum256(raw)
		h.Write([]byte(f))
		h.Write(sum[:])
		if err != nil {
			h.Write([]byte{0})
		}
	}
	return [32]byte(h.Sum(nil))
}
