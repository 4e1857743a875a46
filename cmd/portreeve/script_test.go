package main

import (
	"bufio"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/portreeve/portreeve/test/peer"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"portreeve": main})
}

// Each script of testdata is one thing that somebody does with the command: as it is
// built for them, which starts in a fraction of the time that a race build takes. What
// serves and is told to reload and to stop has the race detector in it, as tests have.
func TestScripts(t *testing.T) {
	t.Parallel()
	built := filepath.Dir(peer.Portreeve(t))
	racy := []string{"script-serve", "script-reload", "script-stop"}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("NO_COLOR", "1")
			if !slices.Contains(racy, filepath.Base(e.WorkDir)) {
				e.Setenv("PATH", built+string(filepath.ListSeparator)+e.Getenv("PATH"))
			}
			for name, folder := range map[string]string{"ACTIONS": "../../actions", "EVENTS": "../../examples/actions", "VECTORS": "../../internal/escrow/testdata/vectors"} {
				path, err := filepath.Abs(folder)
				if err != nil {
					return err
				}
				e.Setenv(name, path)
			}
			e.Setenv("GORACE", "atexit_sleep_ms=0") // else each command of a race build waits a second
			for _, name := range []string{"ADDR", "PROBES"} {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					return err
				}
				defer l.Close()
				e.Setenv(name, l.Addr().String())
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "serving": serving, "http": request, "signal": sendSignal, "keep": keep, "until": until, "refused": refused, "sql": statement,
		},
	})
}

// exits STATUS COMMAND…: the command ends with that status.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var status *exec.ExitError
	if errors.As(err, &status) {
		got = status.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// serving ADDR: somebody answers there, at once or soon. ! serving: nobody does.
func serving(ts *testscript.TestScript, neg bool, args []string) {
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		c, err := net.DialTimeout("tcp", args[0], time.Second)
		if err == nil {
			_ = c.Close()
		}
		if neg != (err == nil) {
			return
		}
		if time.Now().After(until) {
			ts.Fatalf("%s: %v", args[0], err)
		}
	}
}

// until TEXT URL: at once or soon, the answer's status line or body has the text.
func until(ts *testscript.TestScript, _ bool, args []string) {
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		resp, err := http.Get(args[1])
		ts.Check(err)
		body, err := io.ReadAll(resp.Body)
		ts.Check(err)
		_ = resp.Body.Close()
		if strings.Contains(resp.Status, args[0]) || strings.Contains(string(body), args[0]) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("still %s: %s", resp.Status, body)
		}
	}
}

// refused STATUS URL @FILE: at once or soon, a GET with that header gets that
// status: what another process writes is taken up within a second.
func refused(ts *testscript.TestScript, _ bool, args []string) {
	name, value, _ := strings.Cut(strings.TrimSpace(ts.ReadFile(strings.TrimPrefix(args[2], "@"))), ": ")
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		req, err := http.NewRequest(http.MethodGet, args[1], nil)
		ts.Check(err)
		req.Header.Set(name, value)
		resp, err := http.DefaultTransport.RoundTrip(req)
		ts.Check(err)
		_ = resp.Body.Close()
		if strconv.Itoa(resp.StatusCode) == args[0] {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("still %s", resp.Status)
		}
	}
}

// sql FILE STATEMENT: on a SQLite file, behind Portreeve's back.
func statement(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	done, err := db.Exec(args[1])
	ts.Check(err)
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		ts.Fatalf("%d rows, %v", n, err)
	}
}

// http METHOD URL ['Name: value'|@FILE]…: status line, header fields and body on
// standard output.
func request(ts *testscript.TestScript, _ bool, args []string) {
	req, err := http.NewRequest(args[0], args[1], nil)
	ts.Check(err)
	for _, field := range args[2:] {
		if file, ok := strings.CutPrefix(field, "@"); ok {
			field = strings.TrimSpace(ts.ReadFile(file))
		}
		name, value, _ := strings.Cut(field, ": ")
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	ts.Check(err)
	defer resp.Body.Close()
	out := bufio.NewWriter(ts.Stdout())
	defer out.Flush()
	fmt.Fprintln(out, resp.Status)
	names := make([]string, 0, len(resp.Header))
	for name := range resp.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(out, "%s: %s\n", name, strings.Join(resp.Header[name], ", "))
	}
	_, err = io.Copy(out, resp.Body)
	ts.Check(err)
}

// signal HUP|TERM: to the command in the background.
func sendSignal(ts *testscript.TestScript, _ bool, args []string) {
	all := ts.BackgroundCmds()
	if len(all) == 0 {
		ts.Fatalf("nothing runs in the background")
	}
	ts.Check(all[len(all)-1].Process.Signal(map[string]os.Signal{"HUP": syscall.SIGHUP, "TERM": syscall.SIGTERM}[args[0]]))
}

// keep NAME PREFIX [BEFORE]: the rest of the line of standard output that begins
// with PREFIX becomes the variable; with BEFORE, a file of BEFORE and it.
func keep(ts *testscript.TestScript, _ bool, args []string) {
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), args[1])
		switch {
		case !ok:
		case len(args) == 3:
			ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(args[2]+rest+"\n"), 0o600))
			return
		default:
			ts.Setenv(args[0], rest)
			return
		}
	}
	ts.Fatalf("no line begins with %q", args[1])
}
