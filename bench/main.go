package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// options are the command line.
type options struct {
	portreeve   string
	rounds      int
	length      time.Duration
	connections int
	tokens      int
	routes      int
	idle        int
	only        string
	out         string
	profile     string
	soak        time.Duration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := dispatch(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// dispatch runs the part that the first word names: bench itself, its soak, or
// one of the programs that it starts.
func dispatch(ctx context.Context, args []string) error {
	word := ""
	if len(args) > 0 {
		word = args[0]
	}
	switch {
	case word == "upstream" && len(args) == 2:
		return upstreamProgram(ctx, args[1])
	case word == "peer" && len(args) == 3:
		return peerProgram(ctx, args[1], args[2], "", "")
	case word == "peer" && len(args) == 5:
		return peerProgram(ctx, args[1], args[2], args[3], args[4])
	case word == "soak":
		o, err := parseFlags(args[1:])
		if err != nil {
			return err
		}
		return inHouse(ctx, 16, func(h *house) error { return h.soak(o) })
	}
	o, err := parseFlags(args)
	if err != nil {
		return err
	}
	return run(ctx, o)
}

func parseFlags(args []string) (o options, err error) {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.StringVar(&o.portreeve, "portreeve", "", "path of the Portreeve binary; empty: nginx alone")
	f.IntVar(&o.rounds, "rounds", 5, "how often every scenario runs")
	f.DurationVar(&o.length, "length", 5*time.Second, "how long one run takes, in whole seconds")
	f.IntVar(&o.connections, "connections", 50, "connections of the load")
	f.IntVar(&o.tokens, "tokens", 20_000, "distinct tokens of the scenarios with many")
	f.IntVar(&o.routes, "routes", 10_000, "routes of the scenarios with many")
	f.IntVar(&o.idle, "idle", 10_000, "idle connections; 0: none")
	f.StringVar(&o.only, "only", "", "run the scenarios whose name or group holds this text, and what they are compared with")
	f.StringVar(&o.out, "out", "", "file for the tables as well")
	f.StringVar(&o.profile, "profile", "", "folder for CPU profiles of Portreeve, one of each scenario")
	f.DurationVar(&o.soak, "for", time.Minute, "soak: how long")
	err = f.Parse(args)
	if err == nil && f.NArg() > 0 {
		err = fmt.Errorf("what is %q?", f.Arg(0))
	}
	return o, err
}

// inHouse opens a house for do, and stops everything in it afterwards.
func inHouse(ctx context.Context, tokens int, do func(*house) error) (err error) {
	for _, tool := range []string{"nginx", "wrk", "h2load"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%s is not installed (scripts/bench.sh installs it): %w", tool, err)
		}
	}
	dir, err := os.MkdirTemp("", "portreeve-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	h := &house{dir: dir, ctx: ctx}
	defer func() { err = errors.Join(err, h.stop()) }()
	if err := h.open(tokens); err != nil {
		return err
	}
	return do(h)
}

func run(ctx context.Context, o options) error {
	f := findings{began: time.Now(), files: openFiles(), command: commandLine()}
	o.idle = max(0, min(o.idle, f.files/2-500)) // nginx and the peer hold two for each
	tokens := o.tokens
	if o.portreeve == "" {
		tokens = 1
	}
	return inHouse(ctx, tokens, func(h *house) (err error) {
		if f.list, err = h.furnish(o); err != nil {
			return err
		}
		time.Sleep(2 * time.Second) // what a start leaves behind is given back by then
		for i := range f.list {
			if p := f.list[i].target.process; p != nil {
				f.list[i].target.idle = p.memory()
			}
		}
		if f.results, err = measure(ctx, o, f.list); err != nil {
			return err
		}
		if o.portreeve != "" && o.only == "" {
			if err := h.single(o, &f); err != nil {
				return err
			}
		}
		return publish(o, f)
	})
}

// single measures what is no rate.
func (h *house) single(o options, f *findings) (err error) {
	for _, routes := range []int{10, 1000, o.routes} {
		s, err := h.starts(o, routes, min(5, o.rounds))
		if err != nil {
			return err
		}
		f.starts = append(f.starts, s)
	}
	if o.idle > 0 {
		f.idle, err = h.idleFigures(o)
	}
	return err
}

func publish(o options, f findings) error {
	if o.out == "" {
		return report(os.Stdout, o, f)
	}
	var b strings.Builder
	if err := report(io.MultiWriter(os.Stdout, &b), o, f); err != nil {
		return err
	}
	return os.WriteFile(o.out, []byte(b.String()), 0o644)
}

// commandLine is how this was started, without the folders of this machine.
func commandLine() string {
	words := []string{"go run ./bench"}
	for _, a := range os.Args[1:] {
		if filepath.IsAbs(a) {
			a = filepath.Base(a)
		}
		words = append(words, a)
	}
	return strings.Join(words, " ")
}
