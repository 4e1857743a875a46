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
	only        string
	out         string
}

func main() {
	var o options
	flag.StringVar(&o.portreeve, "portreeve", "", "path of the Portreeve binary; empty: nginx alone")
	flag.IntVar(&o.rounds, "rounds", 5, "how often every scenario runs")
	flag.DurationVar(&o.length, "length", 5*time.Second, "how long one run takes, in whole seconds")
	flag.IntVar(&o.connections, "connections", 50, "connections of wrk")
	flag.IntVar(&o.tokens, "tokens", 20_000, "distinct tokens of the scenarios with many")
	flag.IntVar(&o.routes, "routes", 10_000, "routes of the scenarios with many")
	flag.StringVar(&o.only, "only", "", "run the scenarios whose name holds this text, and the floor")
	flag.StringVar(&o.out, "out", "", "file for the table as well")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	for _, tool := range []string{"nginx", "wrk"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%s is not installed: %w", tool, err)
		}
	}
	dir, err := os.MkdirTemp("", "portreeve-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	house := &house{dir: dir, ctx: ctx}
	defer func() { err = errors.Join(err, house.stop()) }()

	list, err := house.furnish(o)
	if err != nil {
		return err
	}
	results, err := measure(ctx, o, list)
	if err != nil {
		return err
	}
	var out io.Writer = os.Stdout
	if o.out != "" {
		f, err := os.Create(o.out)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		out = io.MultiWriter(os.Stdout, f)
	}
	return report(out, o, list, results)
}
