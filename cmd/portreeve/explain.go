package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/explain"
)

type explainCmd struct {
	configFlag
	ID     string   `placeholder:"DECISION" help:"A refusal that happened: the value of X-Portreeve-Decision. Asks the running process."`
	Method string   `default:"GET" help:"The method of the request to decide."`
	URL    string   `placeholder:"URL" help:"Its URL; the host chooses the site."`
	Header []string `short:"H" sep:"none" placeholder:"'NAME: VALUE'" help:"A header field; @FILE or @- reads fields from a file or standard input, so that credentials stay out of the process list."`
	Peer   string   `default:"127.0.0.1" help:"The address that the request comes from."`
	JSON   bool     `help:"Print the decision as JSON."`
}

// Help is shown by --help.
func (explainCmd) Help() string {
	return `Examples:
  portreeve explain --url http://127.0.0.1:8787/admin/users -H @request-headers
  portreeve explain --id 0b6d1f5e9c3a47d2801f6e2ab95c4d73

Exit status: 0 the request would be let through (or the decision was found),
1 it would be refused (or was not found), 2 usage.`
}

// Run decides a request and prints the steps.
func (c explainCmd) Run(s streams) error {
	src, err := c.source(s)
	if err != nil {
		return err
	}
	if c.ID != "" {
		rec, err := app.Lookup(src, c.ID)
		if err != nil {
			return err
		}
		return c.print(s, *rec)
	}
	if c.URL == "" {
		return usage("--url or --id is needed")
	}
	fields, err := c.fields(s)
	if err != nil {
		return err
	}
	rec, allowed, err := app.Explain(src, app.ExplainRequest{Method: c.Method, URL: c.URL, Header: fields, Peer: c.Peer})
	if err != nil {
		return configProblem(s, src, err, "nothing is decided")
	}
	if err := c.print(s, *rec); err != nil {
		return err
	}
	if !allowed {
		return errRefused
	}
	return nil
}

func (c explainCmd) print(s streams, rec explain.Record) error {
	if c.JSON {
		e := json.NewEncoder(s.out)
		e.SetIndent("", "  ")
		return e.Encode(rec)
	}
	explain.Text(s.out, rec, colour(s, s.out))
	return nil
}

// fields reads the -H flags.
func (c explainCmd) fields(s streams) ([]string, error) {
	var out []string
	for _, h := range c.Header {
		file, ok := strings.CutPrefix(h, "@")
		if !ok {
			if name, _, _ := strings.Cut(h, ":"); credential(name) {
				fmt.Fprintf(s.err, "warning: %s stands on the command line, where other users of this machine can read it; use -H @FILE or -H @-\n", name)
			}
			out = append(out, h)
			continue
		}
		in := s.in
		if file != "-" {
			f, err := os.Open(file)
			if err != nil {
				return nil, err
			}
			defer f.Close()
			in = f
		}
		lines := bufio.NewScanner(io.LimitReader(in, 1<<20))
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if line := strings.TrimRight(lines.Text(), "\r"); line != "" {
				out = append(out, line)
			}
		}
		if err := lines.Err(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func credential(name string) bool {
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "authorization", "cookie", "x-api-key", "cf-access-jwt-assertion":
		return true
	}
	return false
}
