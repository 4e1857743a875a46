// Package demo runs Portreeve in front of stand-ins, all on loopback and out of
// a folder of its own: no account anywhere, nothing left behind.
//
// It owns the demonstration's configuration (demo.yaml), its people and the
// requests that show what each may do. It knows the stand-ins and the app, and
// nothing of how Portreeve decides.
package demo

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/standin"
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
	// Link signs somebody in once, within ten minutes, with a browser.
	Link string

	issuer *standin.Issuer
	access *standin.Access
	echo   *standin.Echo
	phone  *standin.Phone
	stop   context.CancelFunc
	done   chan error
}

// Options are the choices of Start.
type Options struct {
	Listen string    // where Portreeve listens; "" means 127.0.0.1:8787, or a free port where that is taken
	Log    io.Writer // the access log
}

// Start brings everything up. Close ends it and removes its folder.
func Start(o Options) (d *Demo, err error) {
	dir, err := os.MkdirTemp("", "portreeve-demo-")
	if err != nil {
		return nil, err
	}
	d = &Demo{Dir: dir, Config: filepath.Join(dir, "portreeve.yaml"), done: make(chan error, 1)}
	defer func() {
		if err != nil {
			_ = d.Close()
		}
	}()
	if err := d.standIns(); err != nil {
		return nil, err
	}
	if err := d.writeConfig(); err != nil {
		return nil, err
	}
	if err := d.people(); err != nil {
		return nil, err
	}
	return d, d.serve(o)
}

func (d *Demo) standIns() error {
	var ls [4]net.Listener
	for i := range ls {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		ls[i] = l
	}
	var err error
	if d.issuer, err = standin.NewIssuer(ls[0], standin.IssuerOptions{Lifetime: lifetime, Clients: []standin.Client{{
		ID: "robot", Secret: "robot-demo-secret", Audiences: []string{"demo-api"}, Scopes: []string{"reports:read"},
		Claims: map[string]any{"sub": "robot"}}}}); err != nil {
		return err
	}
	if d.access, err = standin.NewAccess(ls[1], standin.AccessOptions{Team: team, Audience: audience, Lifetime: lifetime,
		ServiceTokens: []standin.ServiceToken{{ID: "deploy.access", Secret: "deploy-demo-secret"}}}); err != nil {
		return err
	}
	d.echo = standin.NewEcho(ls[2], standin.EchoOptions{Name: "the demo's application"})
	d.phone = standin.NewPhone(ls[3])
	return nil
}

// writeConfig fills in the stand-ins' addresses, which are new each time.
func (d *Demo) writeConfig() error {
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails since Go 1.24
	if err := d.write("jwt-secret", base64.StdEncoding.EncodeToString(key[:])); err != nil {
		return err
	}
	text := strings.NewReplacer("@ISSUER@", d.issuer.URL(), "@TEAM@", team, "@AUDIENCE@", audience,
		"@CERTS@", d.access.CertsURL(), "@ECHO@", d.echo.URL()).Replace(configuration)
	return d.write("portreeve.yaml", text)
}

func (d *Demo) write(name, text string) error {
	return os.WriteFile(filepath.Join(d.Dir, name), []byte(text), 0o600)
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
		Started: func(addrs []net.Addr) { up <- addrs[0].String() }, SignInLink: func(_, url string) { d.Link = url }})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	d.stop = stop
	go func() { d.done <- a.Run(ctx) }()
	select {
	case addr := <-up:
		d.URL = "http://" + addr
		return nil
	case err := <-d.done:
		d.done <- err
		return fmt.Errorf("the demo did not start: %w", err)
	}
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
	if d.issuer != nil {
		errs = append(errs, d.issuer.Close())
	}
	if d.access != nil {
		errs = append(errs, d.access.Close())
	}
	if d.echo != nil {
		errs = append(errs, d.echo.Close())
	}
	if d.phone != nil {
		errs = append(errs, d.phone.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(d.Dir))...)
}
