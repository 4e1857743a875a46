package links

import (
	"context"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/pages"
	"github.com/portreeve/portreeve/internal/request"
)

const (
	iPhone  = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1"
	pixel   = "Mozilla/5.0 (Linux; Android 16; Pixel 10) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36"
	macBook = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Safari/605.1.15"
)

const fingerprint1 = "14:6D:E9:83:C5:73:06:50:D8:EE:B9:95:2F:34:FC:64:16:A0:83:42:E6:1D:BE:A8:8A:04:96:B2:3F:CF:44:E5"

// decoded reads a Config as a file holds it, and says what is wrong with it.
func decoded(text string) (*Config, string) {
	var c Config
	doc := config.Decode([]byte(text), &c, config.Options{Name: "p.yaml"})
	if !doc.Failed() {
		c.Validate(doc.Report(""))
	}
	var problems []string
	for _, p := range doc.Problems() {
		problems = append(problems, p.String())
	}
	return &c, strings.Join(problems, "\n")
}

// host is a site with the operations of a Config, matched as the gateway does.
type host struct {
	t     *testing.T
	table *gateway.Table
	count map[string]int
}

func serve(t *testing.T, env, text string) *host {
	t.Helper()
	c, problems := decoded(text)
	if problems != "" {
		t.Fatal(problems)
	}
	p, err := pages.New()
	if err != nil {
		t.Fatal(err)
	}
	h := &host{t: t, table: gateway.NewTable(false), count: map[string]int{}}
	for _, r := range Routes(Site{Config: c, Env: env, Pages: p, Count: func(o string) { h.count[o]++ }}) {
		pattern, err := gateway.ParsePattern(r.Path)
		if err != nil {
			t.Fatal(err)
		}
		op := r.Op
		if err := h.table.Add(&gateway.Route{Pattern: pattern, Methods: []string{r.Method}, Answer: &op}); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// get is what a request is answered; status 400 for a path without canonical form.
func (h *host) get(target, agent string, more ...request.Field) request.Reply {
	h.t.Helper()
	rules := request.PathRules{Allow: request.EncodedSlash | request.Nested}
	parsed := request.ParseTarget(target, rules, nil)
	if _, bad := parsed.Refused(rules); bad {
		return request.Reply{Status: 400}
	}
	view := request.View{Method: "GET", Target: target, Host: "links.example.com", Scheme: "https", Path: parsed.Path, Query: parsed.Query, HasQuery: parsed.HasQuery,
		Header: append(request.Header{{Name: "Host", Value: "links.example.com"}, {Name: "User-Agent", Value: agent}}, more...)}
	e := h.table.Find(parsed.Path, &gateway.Params{})
	if e == nil {
		h.t.Fatalf("%s: no route", target)
	}
	var pairs []string
	for i, s := range e.Routes[0].Pattern.Segments() {
		switch s.Param {
		case "":
		case "*":
			pairs = append(pairs, "*", request.Path{Segments: parsed.Path.Segments[i:]}.String()[1:])
		default:
			pairs = append(pairs, s.Param, parsed.Path.Segments[i].Value)
		}
	}
	params := gateway.ParamsOf(pairs...)
	op, ok := e.Route("GET").Answer.(*gateway.Operation)
	if !ok {
		h.t.Fatal("no operation")
	}
	reply, err := op.Run(context.Background(), &gateway.Call{View: &view, Params: params})
	if err != nil {
		return Shape(fault.From(err), "", "")
	}
	return reply
}
