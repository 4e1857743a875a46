// Package demo runs Portreeve in front of stand-ins, all on loopback and out of
// a folder of its own: no account anywhere, nothing left behind.
//
// It owns the demonstration's configuration (demo.yaml), its people, and the tour:
// groups of lines that show what each may do. It knows the stand-ins and the app,
// and nothing of how Portreeve decides.
package demo

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/app"
)

//go:embed demo.yaml
var configuration string

const (
	team     = "demo.cloudflareaccess.com"
	audience = "demo-application"
	lifetime = 12 * time.Hour // of the printed tokens
)

// Demo is a demonstration that runs.
type Demo struct {
	Dir    string // of its configuration, secrets and tokens
	Config string // the configuration file
	URL    string // of Portreeve
	// Link signs erin in once, within ten minutes, with a browser; Portal signs petra
	// in to the portal.
	Link, Portal string

	services
	port       string // of URL
	passphrase string // that opens what machines sealed
	signer     string // thumbprint of the key that vouches for the tenant's
	texts      io.Writer
	stop       context.CancelFunc
	done       chan error
}

// Options are the choices of Start.
type Options struct {
	Listen string    // where Portreeve listens; "" means 127.0.0.1:8787, or a free port where that is taken
	Log    io.Writer // the access log
	// Program is what the tour's lines call ./portreeve; "" means this process's own.
	Program string
	// Texts is told of every text that a telephone gets; nil: nobody.
	Texts io.Writer
}

// Start brings everything up. Close ends it and removes its folder.
func Start(o Options) (*Demo, error) {
	dir, err := os.MkdirTemp("", "portreeve-demo-")
	if err != nil {
		return nil, err
	}
	d := &Demo{Dir: dir, Config: filepath.Join(dir, "portreeve.yaml"), texts: o.Texts, done: make(chan error, 1)}
	made := newLock()
	for _, begin := range []func() error{
		func() error { return d.linkProgram(o.Program) },
		d.standIns, d.writeConfig, d.people, d.accounts, d.store,
		func() error { return d.serve(o) },
		func() error { return d.page.begin() },
		func() error { return d.onboard(made) }, d.busy, d.writeGroups,
	} {
		if err := begin(); err != nil {
			_ = d.Close()
			return nil, err
		}
	}
	return d, nil
}

// linkProgram makes ./portreeve of the folder this very program, which a path may
// not lead to: `go run` leaves it nowhere.
func (d *Demo) linkProgram(program string) error {
	if program == "" {
		var err error
		if program, err = os.Executable(); err != nil {
			return err
		}
	}
	return os.Symlink(program, filepath.Join(d.Dir, "portreeve"))
}

// write makes a file of the folder that only its owner reads.
func (d *Demo) write(name, text string) error {
	file := filepath.Join(d.Dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text), 0o600)
}

// at is a URL of one of the sites.
func (d *Demo) at(site, path string) string {
	return "http://" + site + ".localhost:" + d.port + path
}

func (d *Demo) serve(o Options) error {
	listen := o.Listen
	if listen == "" {
		listen = app.DefaultListen
		l, err := net.Listen("tcp", listen)
		if err != nil {
			listen = "127.0.0.1:0"
		} else {
			_ = l.Close()
		}
	}
	up := make(chan string, 1)
	a, err := app.New(app.Options{Source: d.source(), Listen: []string{listen}, Stderr: o.Log,
		Started: func(addrs []net.Addr) { up <- addrs[0].String() }, SignInLink: d.signInLink})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	d.stop = stop
	go func() { d.done <- a.Run(ctx) }()
	select {
	case addr := <-up:
		d.URL, d.port = "http://"+addr, addr[strings.LastIndexByte(addr, ':')+1:]
		return nil
	case err := <-d.done:
		d.done <- err
		return fmt.Errorf("the demo did not start: %w", err)
	}
}

// signInLink keeps a link that serve made.
func (d *Demo) signInLink(user, url string) {
	if user == "petra@example.com" {
		d.Portal = url
		return
	}
	d.Link = url
}

// source reads the demo's configuration without the process's environment: it
// is the same on every machine.
func (d *Demo) source() app.Source {
	return app.Source{Path: d.Config, Getenv: func(string) (string, bool) { return "", false }}
}

// Close stops everything and removes the folder.
func (d *Demo) Close() error {
	var errs []error
	if d.stop != nil {
		d.stop()
		errs = append(errs, <-d.done)
	}
	errs = append(errs, d.services.close())
	return errors.Join(append(errs, os.RemoveAll(d.Dir))...)
}
