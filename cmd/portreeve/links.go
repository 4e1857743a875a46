package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/links"
)

type linksCmd struct {
	Check linksCheckCmd `cmd:"" help:"Fetch a host's association files as Apple and Google would, and say what is wrong."`
}

// Help is shown by --help.
func (linksCmd) Help() string {
	return `Example:
  portreeve links check links.example.com`
}

type linksCheckCmd struct {
	What string `arg:"" placeholder:"HOST|FILE" help:"A host, a configuration, or an apple-app-site-association or assetlinks.json file."`
	JSON bool   `help:"Print the report as JSON."`
}

// Help is shown by --help.
func (linksCheckCmd) Help() string {
	return `Examples:
  portreeve links check links.example.com
  portreeve links check portreeve.yaml
  portreeve links check apple-app-site-association

Of a host, both files are fetched over https, without following a redirect.
Exit status: 0 nothing is wrong, 1 something is, 2 usage.`
}

// maxLinksFile bounds what is read of a file.
const maxLinksFile = 8 << 20

// Run checks a host or a file.
func (c linksCheckCmd) Run(s streams) error {
	reports, err := c.reports(s)
	if err != nil {
		return err
	}
	wrong := false
	for _, r := range reports {
		wrong = wrong || !r.OK()
	}
	if c.JSON {
		if err := printJSON(s.out, reports); err != nil {
			return err
		}
	} else {
		for _, r := range reports {
			c.print(s, r)
		}
	}
	if wrong {
		return errRefused
	}
	return nil
}

func (c linksCheckCmd) reports(s streams) ([]*links.FileReport, error) {
	host := strings.TrimSuffix(strings.TrimPrefix(c.What, "https://"), "/") // as browsers hand it out
	info, err := os.Stat(c.What)
	switch {
	case err == nil && info.IsDir():
		return nil, usage("%s is a folder", c.What)
	case err == nil:
		return c.file(s)
	case !errors.Is(err, fs.ErrNotExist) || host == "" || strings.ContainsAny(host, `/\`) || strings.HasSuffix(c.What, ".json") || strings.HasSuffix(c.What, ".yaml"):
		return nil, usage("there is no file %s, and it is no host", c.What)
	}
	fetch, err := links.Fetcher(host)
	if err != nil {
		return nil, usageError{err}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	return links.CheckHost(ctx, host, fetch), nil
}

// file checks a file for what it is.
func (c linksCheckCmd) file(s streams) ([]*links.FileReport, error) {
	f, err := os.Open(c.What)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxLinksFile+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > maxLinksFile {
		return nil, fmt.Errorf("%s is larger than 8 MiB: no such file is", c.What)
	}
	switch name := filepath.Base(c.What); {
	case links.Kind(raw) == "apple", name == "apple-app-site-association":
		return []*links.FileReport{links.CheckApple(c.What, raw)}, nil
	case links.Kind(raw) == "android", name == "assetlinks.json":
		return []*links.FileReport{links.CheckAndroid(c.What, raw)}, nil
	}
	report, list, err := app.Associations(app.Source{Path: c.What, Getenv: s.env})
	if err != nil {
		return nil, err
	}
	if !report.OK {
		report.Write(s.err, width(s.err))
		return nil, errRefused
	}
	var out []*links.FileReport
	for _, a := range list {
		if a.Apple != nil {
			out = append(out, links.CheckApple(a.Site+"/.well-known/apple-app-site-association", a.Apple))
		}
		if a.Android != nil {
			out = append(out, links.CheckAndroid(a.Site+"/.well-known/assetlinks.json", a.Android))
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s publishes no association file: no site has links with apps of this environment", c.What)
	}
	return out, nil
}

func (c linksCheckCmd) print(s streams, r *links.FileReport) {
	fmt.Fprintf(s.out, "%s  %s\n", r.Vendor, printable(r.File))
	for _, f := range r.Findings {
		where := ""
		if f.Where != "" {
			where = f.Where + ": "
		}
		fmt.Fprintf(s.out, "  %-5s  %s%s\n", f.Level, printable(where), printable(f.Text))
		if f.Fix != "" {
			fmt.Fprintf(s.out, "         → %s\n", printable(f.Fix))
		}
	}
}
