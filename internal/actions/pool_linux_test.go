package actions

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/portreeve/portreeve/internal/fault"
)

// What a waiting child has, seen from outside: one socket, the runtime's poller,
// no environment, and every limit.
func TestAChildHasNothing(t *testing.T) {
	t.Parallel()
	// A descriptor that somebody left open across exec, as service managers do.
	left, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer left.Close()
	if _, err := unix.FcntlInt(left.Fd(), unix.F_SETFD, 0); err != nil {
		t.Fatal(err)
	}
	e := engine(t, Options{Idle: -1})
	c, release, err := e.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	proc := fmt.Sprintf("/proc/%d/", c.process.Pid)
	names, err := os.ReadDir(proc + "fd")
	if err != nil {
		t.Fatal(err)
	}
	var open []string
	for _, n := range names {
		to, err := os.Readlink(filepath.Join(proc, "fd", n.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(to, "socket:") {
			to = n.Name() + " socket"
		}
		open = append(open, to)
	}
	slices.Sort(open)
	if want := []string{"0 socket", "anon_inode:[eventfd]", "anon_inode:[eventpoll]"}; !slices.Equal(open, want) {
		t.Errorf("open: %q, want %q", open, want)
	}
	if env, err := os.ReadFile(proc + "environ"); err != nil || len(env) != 0 {
		t.Errorf("environment %q, %v", env, err)
	}
	status, _ := os.ReadFile(proc + "status")
	for _, want := range []string{"NoNewPrivs:\t1\n", "Seccomp:\t2\n"} {
		if !strings.Contains(string(status), want) {
			t.Errorf("status has no %q", want)
		}
	}
	limits, _ := os.ReadFile(proc + "limits")
	for name, want := range map[string]string{"Max cpu time": "2", "Max file size": "0", "Max core file size": "0", "Max open files": "0"} {
		found := false
		for line := range strings.Lines(string(limits)) {
			if rest, ok := strings.CutPrefix(line, name); ok {
				f := strings.Fields(rest)
				found = f[0] == want && f[1] == want
			}
		}
		if !found {
			t.Errorf("%s is not %s:\n%s", name, want, limits)
		}
	}
	if cwd, err := os.Readlink(proc + "cwd"); err != nil || cwd != "/" {
		t.Errorf("it stands in %s, %v", cwd, err)
	}
}

// children counts processes below this one that are children of an engine, dead
// ones that nobody waited for too.
func children(t *testing.T) int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, s := range stats {
		b, err := os.ReadFile(s)
		if err != nil {
			continue // gone meanwhile
		}
		f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
		if len(f) > 1 && f[1] == strconv.Itoa(os.Getpid()) {
			n++
		}
	}
	return n
}

// Two hundred runs at once go through a few children, each of which is used once;
// afterwards none is left, and no descriptor.
func TestTwoHundredRunsAtOnce(t *testing.T) {
	fds := func() int {
		n, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(n)
	}
	warm := New(Options{Children: 1, Idle: -1}) // what the process opens once, for its first child, is not left over
	if _, err := one(t, warm, ``); err != nil {
		t.Fatal(err)
	}
	warm.Close()
	beforeFDs, beforeChildren, beforeGoroutines := fds(), children(t), runtime.NumGoroutine()
	e := New(Options{Children: 4, Wait: 2 * time.Minute})
	var done sync.WaitGroup
	var most atomic.Int64
	var watch sync.WaitGroup
	stop := make(chan struct{})
	watch.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
				most.Store(max(most.Load(), int64(children(t))))
			}
		}
	})
	for i := range 200 {
		done.Go(func() {
			s := Script{Name: "n.js", Source: `globalThis.seen = (globalThis.seen || 0) + 1; exports.onExecutePostLogin = async (event, api) => { api.idToken.setCustomClaim("n", [event.n, globalThis.seen]) }`}
			out, err := e.Run(t.Context(), PostLogin, []Script{s}, map[string]int{"n": i})
			if err != nil || string(out.IDToken["n"]) != fmt.Sprintf("[%d,1]", i) {
				t.Errorf("%d: %+v %v", i, out, err)
			}
		})
	}
	done.Wait()
	close(stop)
	watch.Wait()
	e.Close()
	if got := most.Load(); got > 4+2+1+int64(beforeChildren) {
		t.Errorf("%d children at once, with 4 that run and 2 that wait", got)
	}
	for until := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
		f, c, g := fds(), children(t), runtime.NumGoroutine()
		if f <= beforeFDs && c <= beforeChildren && g <= beforeGoroutines {
			break
		}
		if time.Now().After(until) {
			t.Fatalf("left over: %d descriptors (%d before), %d children (%d), %d goroutines (%d)", f, beforeFDs, c, beforeChildren, g, beforeGoroutines)
		}
	}
}

func TestAPoolThatIsFullRefusesInTime(t *testing.T) {
	t.Parallel()
	e := engine(t, Options{Children: 1, Idle: -1, Wait: 50 * time.Millisecond})
	_, release, err := e.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = one(t, e, ``)
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Unavailable || f.Code != "actions_busy" || f.RetryAfter == 0 {
		t.Errorf("%v", err)
	}
	release()
	if _, err := one(t, e, ``); err != nil {
		t.Errorf("a place that was given back: %v", err)
	}
}

func TestWhoeverGoesTakesTheirChildAlong(t *testing.T) {
	t.Parallel()
	e := engine(t, Options{Children: 1, Idle: -1})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(200*time.Millisecond, cancel)
	began := time.Now()
	_, err := e.Run(ctx, PostLogin, []Script{{Name: "x.js", Source: `exports.onExecutePostLogin = () => { for (;;) {} }`}}, struct{}{})
	if !errors.Is(err, context.Canceled) || time.Since(began) > 2*time.Second {
		t.Errorf("%v after %s", err, time.Since(began))
	}
}

// A child that died while it waited is noticed, and costs nobody a login.
func TestADeadChildIsReplaced(t *testing.T) {
	t.Parallel()
	e := engine(t, Options{Children: 2, Idle: 1})
	var c *child
	select {
	case c = <-e.idle:
	case <-time.After(10 * time.Second):
		t.Fatal("nobody waits")
	}
	c.kill()
	c.wait()
	e.idle <- c // prepare may have put another one there meanwhile: then this waits for its turn
	for range 3 {
		if _, err := one(t, e, ``); err != nil {
			t.Error(err)
		}
	}
}

func TestAClosedEngineRefuses(t *testing.T) {
	t.Parallel()
	e := New(Options{})
	e.Close()
	e.Close()
	if _, err := one(t, e, ``); err == nil {
		t.Error("it ran")
	}
}

// A binary whose main does not call Child ends at once: it does not start its own
// work a second time.
func TestABinaryThatDoesNotKnowChildrenEnds(t *testing.T) {
	t.Parallel()
	c, err := spawnHere(t, "-portreeve-action-unknown")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.greet(); err == nil || !strings.Contains(err.Error(), "actions.Child") {
		t.Errorf("%v", err)
	}
}
