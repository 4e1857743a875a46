package app

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// generation is how many configurations have been in service.
func (s *served) generation() uint64 { return s.app.current.Load().number }

func (s *served) reaches(n uint64) {
	s.t.Helper()
	eventually(s.t, "generation "+strconv.FormatUint(n, 10), func() bool { return s.generation() >= n })
}

// resting waits until the watch has looked and found nothing to do, so that what
// is changed next is noticed by its event. A test that changes something again
// gives how often it has rested before.
func (s *served) resting(before int64) (now int64) {
	s.t.Helper()
	eventually(s.t, "a resting watch", func() bool { now = s.app.watcher.rests.Load(); return now > before })
	return now
}

const watched = "environment: test\nwatch: true\n"

func TestWatchedFiles(t *testing.T) {
	t.Parallel()
	jwt := watched + "jwt: {secret: '{{file.run/key}}'}\nroutes: [{path: /a, method: get, data: {}}]\n"
	other := strings.Repeat("another ", 4)
	for _, test := range []struct {
		name   string
		yaml   string
		files  []string
		change func(s *served)
	}{
		{"the file itself", jwt, []string{"run/key", secret32}, func(s *served) { s.write("portreeve.yaml", jwt+"# more\n") }},
		{"the file, replaced as editors do", jwt, []string{"run/key", secret32}, func(s *served) {
			s.write("new", jwt+"# more\n")
			rename(s.t, filepath.Join(s.dir, "new"), filepath.Join(s.dir, "portreeve.yaml"))
		}},
		{"a secret", jwt, []string{"run/key", secret32}, func(s *served) { s.write("run/key", other) }},
		{"a file of keys", watched + "jwt: {jwksFile: keys.json, issuer: x}\n", []string{"keys.json", `{"keys":[]}`},
			func(s *served) { s.write("keys.json", `{"keys":[] }`) }},
		{".env", watched + "routes: [{path: /a, method: get, response: '{{env.TEXT:-none}}'}]\n", nil, func(s *served) { s.write(".env", "TEXT=some\n") }},
		{".dev.vars", watched + "routes: [{path: /a, method: get, response: '{{env.TEXT}}'}]\n", []string{".dev.vars", "TEXT=a\n"},
			func(s *served) { s.write(".dev.vars", "TEXT=b\n") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serveFile(t, test.yaml, test.files...)
			s.resting(0)
			test.change(s)
			s.reaches(2)
		})
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, to, at string) {
	t.Helper()
	if err := os.Symlink(to, at+".new"); err != nil {
		t.Fatal(err)
	}
	rename(t, at+".new", at)
}

// Kubernetes mounts a folder ..2026 behind a link ..data, behind which the files
// are links too, and swaps the one in the middle.
func TestWatchFollowsSwappedLinks(t *testing.T) {
	t.Parallel()
	text := watched + "jwt: {secret: '{{file.MOUNT/key}}'}\nroutes: [{path: /a, method: get, response: '{{file.MOUNT/text}}'}]\n"
	mount := t.TempDir()
	volume := func(version string) {
		put(t, filepath.Join(mount, ".."+version, "key"), secret32+version)
		put(t, filepath.Join(mount, ".."+version, "text"), "version "+version)
		link(t, ".."+version, filepath.Join(mount, "..data"))
	}
	volume("1")
	link(t, filepath.Join("..data", "key"), filepath.Join(mount, "key"))
	link(t, filepath.Join("..data", "text"), filepath.Join(mount, "text"))
	s := serveFile(t, strings.ReplaceAll(text, "MOUNT", mount))
	rests := int64(0)
	for i := uint64(2); i < 5; i++ {
		rests = s.resting(rests)
		version := strconv.FormatUint(i, 10)
		volume(version)
		s.reaches(i)
		if err := os.RemoveAll(filepath.Join(mount, ".."+strconv.FormatUint(i-1, 10))); err != nil {
			t.Fatal(err)
		}
		if _, body, _ := s.get("/a"); body != "version "+version {
			t.Errorf("after %s: %q", version, body)
		}
	}
	if s.log.has("not reloaded") {
		t.Errorf("a swap was seen half:\n%s", s.log)
	}
}

// A link two steps away, in folders that hold no file of ours.
func TestWatchFollowsEveryLink(t *testing.T) {
	t.Parallel()
	far := t.TempDir()
	put(t, filepath.Join(far, "v1", "text"), "one")
	put(t, filepath.Join(far, "v2", "text"), "two")
	link(t, filepath.Join(far, "v1"), filepath.Join(far, "current"))
	near := t.TempDir()
	link(t, filepath.Join(far, "current"), filepath.Join(near, "conf"))
	s := serveFile(t, watched+"routes: [{path: /a, method: get, response: '{{file."+near+"/conf/text}}'}]\n")
	s.resting(0)
	link(t, filepath.Join(far, "v2"), filepath.Join(far, "current"))
	s.reaches(2)
	if _, body, _ := s.get("/a"); body != "two" {
		t.Errorf("got %q", body)
	}
}

// A bad file is reported once, and what it waits for brings it into service.
func TestWatchWaitsForWhatIsMissing(t *testing.T) {
	t.Parallel()
	s := serveFile(t, watched+"routes: [{path: /a, method: get, response: old}]\n")
	rests := s.resting(0)
	s.write("portreeve.yaml", watched+"routes: [{path: /a, method: get, response: '{{file.later/text}}'}]\n")
	eventually(t, "a report", func() bool { return s.log.has("does not exist") })
	if _, body, _ := s.get("/a"); body != "old" || s.generation() != 1 {
		t.Errorf("generation %d answers %q", s.generation(), body)
	}
	s.resting(rests)
	s.write("later/text", "new")
	s.reaches(2)
	if _, body, _ := s.get("/a"); body != "new" {
		t.Errorf("got %q", body)
	}
}

// A log or a database beside the file neither reloads nor keeps a reload away.
func TestWatchIsNotDisturbedByNeighbours(t *testing.T) {
	t.Parallel()
	text := watched + "routes: [{path: /a, method: get, response: a}]\n"
	s := serveFile(t, text)
	s.resting(0)
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				_ = os.WriteFile(filepath.Join(s.dir, "portreeve.db"), []byte(strconv.Itoa(i)), 0o600)
			}
		}
	}()
	s.write("portreeve.yaml", text+"# more\n")
	s.reaches(2)
	close(stop)
	<-done
	if n := s.generation(); n != 2 {
		t.Errorf("generation %d: a neighbour reloaded", n)
	}
}

// watch can be switched off and on by a reload.
func TestWatchFollowsItsKey(t *testing.T) {
	t.Parallel()
	off := "environment: test\nroutes: [{path: /a, method: get, response: a}]\n"
	s := serveFile(t, off)
	s.write("portreeve.yaml", off+"watch: true\n")
	if err := s.app.Reload(); err != nil {
		t.Fatal(err)
	}
	s.resting(0)
	s.write("portreeve.yaml", off+"watch: true\n# more\n")
	s.reaches(3)
	if err := s.reload(off); err != nil {
		t.Fatal(err)
	}
	eventually(t, "an end of watching", func() bool {
		s.app.watcher.mu.Lock()
		defer s.app.watcher.mu.Unlock()
		return s.app.watcher.stop == nil
	})
}

// A file that is gone is reported once, not at every look, and its return is
// noticed.
func TestWatchOutlivesAMissingFile(t *testing.T) {
	t.Parallel()
	text := watched + "routes: [{path: /a, method: get, response: a}]\n"
	s := serveFile(t, text)
	rests := s.resting(0)
	if err := os.Remove(filepath.Join(s.dir, "portreeve.yaml")); err != nil {
		t.Fatal(err)
	}
	rests = s.resting(rests)
	if n := strings.Count(s.log.String(), "configuration not reloaded"); n != 1 {
		t.Errorf("reported %d times:\n%s", n, s.log)
	}
	if status, _, _ := s.get("/a"); status != 200 {
		t.Errorf("/a answers %d", status)
	}
	s.write("portreeve.yaml", text+"# back\n")
	s.resting(rests)
	s.reaches(2)
}

// A file that changes while it is loaded may have been read either way: it
// counts as not loaded, so that the next look loads it again.
func TestFileThatChangesWhileItIsLoadedIsLoadedAgain(t *testing.T) {
	t.Parallel()
	s := serveFile(t, "environment: test\nroutes: [{path: /a, method: get, response: a}]\n")
	file := filepath.Join(s.dir, "portreeve.yaml")
	l, err := s.app.load()
	if err != nil {
		t.Fatal(err)
	}
	b := build(l, s.app.deps())
	s.app.remember(b, files{file: contentOf(file)})
	if is := s.app.loaded(); is[file] != contentOf(file) {
		t.Error("a file that stayed the same counts as changed")
	}
	s.app.remember(b, files{file: contentOf(filepath.Join(s.dir, "before"))})
	if is := s.app.loaded(); is[file] == contentOf(file) {
		t.Error("a file that changed meanwhile counts as loaded")
	}
}
