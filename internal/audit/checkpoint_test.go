package audit_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/audit/audittest"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

func signing(t testing.TB, db *store.DB, o audit.Options) *audit.Log {
	t.Helper()
	o.DB = db
	l, err := audit.New(audittest.Keys(t), o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func sign(t testing.TB, l *audit.Log, want int) {
	t.Helper()
	if n, err := l.Checkpoint(t.Context()); err != nil || n != want {
		t.Fatalf("signed %d, want %d: %v", n, want, err)
	}
}

func TestWhatIsCutOffOrWrittenAnewShowsAgainstCheckpoints(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		file := filepath.Join(t.TempDir(), "checkpoints")
		l := signing(t, db, audit.Options{Checkpoint: file})
		chain(t, db, l, "acme", 3)
		chain(t, db, l, "globex", 1)
		sign(t, l, 2)
		sign(t, l, 0)
		chain(t, db, l, "acme", 2)
		sign(t, l, 1)
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		good := string(b)
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 || strings.Count(good, "\n") != 3 {
			t.Fatalf("%v %v:\n%s", info.Mode(), err, good)
		}
		if r := verify(t, l, everything(), good); !r.OK() || r.Checkpoints != 3 {
			t.Fatalf("%d checkpoints: %s", r.Checkpoints, problems(r))
		}
		if r := verify(t, l, audit.Scope{Tenant: "globex"}, good); !r.OK() || r.Checkpoints != 1 || r.Chains != 1 {
			t.Errorf("of one tenant %+v", r)
		}

		// A start repeats nothing, and does not take its file for more than it is.
		again := signing(t, db, audit.Options{Checkpoint: file})
		sign(t, again, 0)
		torn := good + `{"tenant":"acme","n":9`
		if err := os.WriteFile(file, []byte(torn), 0o600); err != nil {
			t.Fatal(err)
		}
		chain(t, db, l, "acme", 1)
		sign(t, signing(t, db, audit.Options{Checkpoint: file}), 1)
		if b, _ := os.ReadFile(file); !strings.HasPrefix(string(b), torn+"\n{") || strings.Count(string(b), "\n") != 5 {
			t.Errorf("after a torn line:\n%s", b)
		}

		// Somebody cuts the end off and repairs the head: the store alone looks right.
		exec(t, db, `DELETE FROM audit_events WHERE tenant_id = 'acme' AND n > 4`)
		exec(t, db, `DELETE FROM audit_people WHERE tenant_id = 'acme' AND n > 4`)
		exec(t, db, `UPDATE audit_heads SET n = 4, at = (SELECT at FROM audit_events WHERE tenant_id = 'acme' AND n = 4),
			hash = (SELECT hash FROM audit_events WHERE tenant_id = 'acme' AND n = 4) WHERE tenant_id = 'acme'`)
		mustVerify(t, l, 5)
		if r := verify(t, l, everything(), good); r.OK() || !strings.Contains(problems(r), "acme/5 the row was there and is not any more: the chain was cut off (line 3") {
			t.Errorf("cut off: %s", problems(r))
		}
		// The server itself goes on from there: another row five.
		chain(t, db, l, "acme", 2)
		mustVerify(t, l, 7)
		if r := verify(t, l, everything(), good); r.OK() || !strings.Contains(problems(r), "acme/5 the row was another: the chain was written anew") {
			t.Errorf("written anew: %s", problems(r))
		}
		for _, table := range []string{"audit_events", "audit_people", "audit_heads"} {
			exec(t, db, `DELETE FROM `+table+` WHERE tenant_id = 'globex'`)
		}
		if r := verify(t, l, everything(), good); !strings.Contains(problems(r), "globex/1 the row was there and is not any more") {
			t.Errorf("a whole chain removed: %s", problems(r))
		}
	})
}

func TestACheckpointThatWasTouchedIsNone(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	file := filepath.Join(t.TempDir(), "checkpoints")
	l := signing(t, db, audit.Options{Checkpoint: file})
	chain(t, db, l, "acme", 3)
	sign(t, l, 1)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	good := bytes.TrimSpace(b)
	// All of them in one file, so that the trail is read once.
	var bad bytes.Buffer
	lines := 0
	add := func(line []byte) {
		bad.Write(line)
		bad.WriteByte('\n')
		lines++
	}
	for i := range good {
		for bit := range 8 {
			c := bytes.Clone(good)
			if c[i] ^= 1 << bit; c[i] == '\n' || c[i] == '\r' {
				continue
			}
			add(c)
		}
		if i > 0 {
			add(good[:i])
		}
	}
	if r := verify(t, l, everything(), bad.String()); r.Checkpoints != 0 || int64(len(r.Problems))+int64(r.More) != int64(lines) {
		t.Errorf("%d lines were touched, %d problems are told and %d count as good", lines, len(r.Problems)+int(r.More), r.Checkpoints)
	}
	if r := verify(t, l, everything(), strings.Repeat("x", 1<<20)+"\n"+string(good)+"\n\n"); len(r.Problems) != 1 || r.Checkpoints != 1 {
		t.Errorf("after a line of a megabyte: %+v", r)
	}
}

func TestCheckpointsGoToTheLogByThemselves(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	var out lockedBuffer
	l := signing(t, db, audit.Options{Log: slog.New(slog.NewJSONHandler(&out, nil)), Every: 10 * time.Millisecond})
	chain(t, db, l, "acme", 1)
	stop := running(t, l)
	out.waitFor(t, `"n":1,"checkpoint":`)
	chain(t, db, l, "acme", 1)
	out.waitFor(t, `"n":2,"checkpoint":`)
	l2 := signing(t, db, audit.Options{Log: slog.New(slog.NewJSONHandler(&out, nil))})
	stop()
	chain(t, db, l, "acme", 1)
	running(t, l2)() // an hour is long; the end of a process is sooner
	out.waitFor(t, `"n":3,"checkpoint":`)
	exec(t, db, `UPDATE audit_heads SET n = 1`)
	sign(t, l2, 0)
	out.waitFor(t, "shorter than its last checkpoint")
	// Each line in the log is a checkpoint that verifies.
	if n := strings.Count(out.String(), "Ada"); n > 0 {
		t.Error("the log names a person")
	}
}

func TestACheckpointFileThatCannotBeWrittenIsTold(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	file := filepath.Join(t.TempDir(), "missing", "checkpoints")
	l := signing(t, db, audit.Options{Checkpoint: file})
	chain(t, db, l, "acme", 1)
	if _, err := l.Checkpoint(t.Context()); err == nil {
		t.Fatal("nothing is said")
	}
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	sign(t, l, 1) // and it is made good
}

// FuzzParseCheckpoint: a line is read in one spelling only.
func FuzzParseCheckpoint(f *testing.F) {
	c := audit.Checkpoint{Tenant: "acme<&é", N: 12, Hash: make([]byte, 32), At: time.UnixMilli(1_700_000_000_123), KeyID: "k1", Sig: make([]byte, 64)}
	good := c.Line()
	f.Add(good)
	f.Add(append([]byte(" "), good...))
	f.Add(bytes.Replace(good, []byte(`"n":12`), []byte(`"n":12.0`), 1))
	f.Add(bytes.Replace(good, []byte(`"n":12`), []byte(`"n":11,"n":12`), 1))
	f.Add(bytes.Replace(good, []byte(`"n":12`), []byte(`"N":12`), 1))
	f.Add(bytes.ToUpper(good))
	f.Add([]byte(`{}`))
	if got, err := audit.ParseCheckpoint(good); err != nil || !got.At.Equal(c.At) || got.Tenant != c.Tenant {
		f.Fatal(got, err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := audit.ParseCheckpoint(b)
		if err == nil && !bytes.Equal(c.Line(), b) {
			t.Fatalf("%s is read as %s", b, c.Line())
		}
	})
}
