package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/portreeve/portreeve/internal/app"
)

// configFlag is -c, which every command that needs the configuration takes.
type configFlag struct {
	Config string `short:"c" placeholder:"FILE" help:"The configuration; portreeve.yaml, .yml or .json here unless given."`
}

func (f configFlag) source(s streams) (app.Source, error) {
	path, err := app.FindFile(f.Config)
	if err != nil {
		return app.Source{}, usageError{err}
	}
	return app.Source{Path: path, Getenv: s.env}, nil
}

type serveCmd struct {
	configFlag
	Listen []string `placeholder:"ADDR" help:"Listen here instead of where the file says."`
}

// Help is shown by --help.
func (serveCmd) Help() string {
	return `Example:
  portreeve serve -c portreeve.yaml --listen 127.0.0.1:8787

SIGHUP reloads the configuration: a bad one changes nothing and is reported.
SIGTERM drains and stops; a second one stops at once.`
}

// Run serves until it is told to stop.
func (c serveCmd) Run(s streams) error {
	src, err := c.source(s)
	if err != nil {
		return err
	}
	var links []string
	a, err := app.New(app.Options{Source: src, Listen: c.Listen, Stderr: s.err, Started: func(addrs []net.Addr) {
		for _, at := range addrs {
			fmt.Fprintf(s.err, "portreeve %s serves %s on %s\n", app.Version(), src.Path, at)
		}
		fmt.Fprint(s.err, strings.Join(links, ""))
	}, SignInLink: func(who, url string) {
		links = append(links, fmt.Sprintf("sign in as %s, once, within ten minutes, with a browser on this machine: %s\n", who, url))
	}})
	if err != nil {
		return configProblem(s, src, err, "nothing is served")
	}
	ctx, stop := stopSignals(s)
	defer stop()
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	go func() {
		for range hup {
			_ = a.Reload() // reported by Reload
		}
	}()
	return a.Run(ctx)
}

// configProblem prints what check would, and what therefore does not happen.
func configProblem(s streams, src app.Source, err error, so string) error {
	var bad *app.ConfigError
	if !errors.As(err, &bad) {
		return err
	}
	fmt.Fprintln(s.err, bad.Error())
	fmt.Fprintf(s.err, "\n%s has problems; %s\n", src.Path, so)
	return errRefused
}

// stopSignals ends the context at the first SIGTERM or interrupt, and the
// process at the second.
func stopSignals(s streams) (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	term := make(chan os.Signal, 2)
	signal.Notify(term, syscall.SIGTERM, os.Interrupt)
	go func() {
		<-term
		cancel()
		<-term
		fmt.Fprintln(s.err, "portreeve: stopped at once")
		os.Exit(exitRefused)
	}()
	return ctx, func() { signal.Stop(term); cancel() }
}
