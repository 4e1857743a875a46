package main

import (
	"io"

	"github.com/portreeve/portreeve/internal/demo"
)

type demoCmd struct {
	Listen string `placeholder:"ADDR" help:"Where Portreeve listens; 127.0.0.1:8787 or, where that is taken, a free port."`
	Log    bool   `help:"Show the access log here as well."`
}

// Help is shown by --help.
func (demoCmd) Help() string {
	return `Example:
  portreeve demo

Needs no account, no configuration and no network beyond loopback. Prints curl
lines to paste, with live tokens, and what explains two refusals; runs until Ctrl-C.`
}

// Run runs the demonstration until it is told to stop.
func (c demoCmd) Run(s streams) error {
	log := io.Discard
	if c.Log {
		log = s.err
	}
	ctx, stop := stopSignals(s)
	defer stop()
	d, err := demo.Start(demo.Options{Listen: c.Listen, Log: log, Texts: s.out})
	if err != nil {
		return err
	}
	if err := d.Tour(s.out, colour(s, s.out)); err != nil {
		_ = d.Close()
		return err
	}
	<-ctx.Done()
	return d.Close()
}
