package app

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
)

// Report is what check found.
type Report struct {
	File     string           `json:"file"`
	OK       bool             `json:"ok"`
	Problems []config.Problem `json:"problems"`
	Routes   []RouteReport    `json:"routes"`
	Off      []string         `json:"providersOff,omitempty"`
	Opens    []ProviderReport `json:"providers"`
	Owners   []OwnerReport    `json:"owners,omitempty"`
}

// RouteReport says who may use one route.
type RouteReport struct {
	Site      string   `json:"site"`
	Path      string   `json:"path"`
	Methods   []string `json:"methods"`
	Public    bool     `json:"public"`
	Who       []string `json:"who"`       // in plain words
	Providers []string `json:"providers"` // whose credentials open it
	Answer    string   `json:"answer"`
	// Operation is what a route of Portreeve's own surfaces does.
	Operation *OperationReport `json:"operation,omitempty"`
}

// ProviderReport says what one provider's credentials open.
type ProviderReport struct {
	Site     string   `json:"site"`
	Provider string   `json:"provider"`
	Kind     string   `json:"kind"`
	Routes   []string `json:"routes"`
}

// OwnerReport names a site that is one surface's alone.
type OwnerReport struct {
	Site    string `json:"site"`
	Surface string `json:"surface"`
}

// Check validates a configuration without serving it and works out who opens
// what.
func Check(s Source) (*Report, error) {
	l, err := Load(s)
	if err != nil {
		return nil, err
	}
	return report(build(l, Deps{Memory: identity.NewMemory(1)})), nil
}

func report(b *Built) *Report {
	r := &Report{File: b.Path, OK: !b.Doc.Failed(), Problems: full(b.Doc.Problems()), Off: b.Off,
		Routes: []RouteReport{}, Opens: []ProviderReport{}}
	if !r.OK {
		return r
	}
	b.Snapshot.Sites(func(site *gateway.Site) {
		if site.Owner != nil {
			r.Owners = append(r.Owners, OwnerReport{Site: site.Name, Surface: site.Owner.Surface})
		}
		opens := map[string][]string{}
		for _, route := range site.Table.Sorted() {
			if own, ok := route.Answer.(*gateway.Builtin); ok && own.Unlisted {
				continue
			}
			one := routeReport(site, route)
			r.Routes = append(r.Routes, one)
			for _, p := range one.Providers {
				opens[p] = append(opens[p], strings.Join(one.Methods, ",")+" "+one.Path)
			}
		}
		for _, p := range site.Identity.Providers() {
			r.Opens = append(r.Opens, ProviderReport{Site: site.Name, Provider: p.Name, Kind: p.Kind, Routes: full(opens[p.Name])})
		}
	})
	return r
}

func routeReport(site *gateway.Site, route *gateway.Route) RouteReport {
	one := RouteReport{Site: site.Name, Path: route.Pattern.Text, Methods: slices.Clone(route.Methods), Providers: []string{}, Answer: gateway.AnswerKind(route.Answer),
		Operation: operationReport(route)}
	if route.AnyMethod() {
		one.Methods = []string{"any"}
	}
	one.Who = append(site.Allow.Describe(), route.Requirement.Describe()...)
	if route.OpenToAll {
		one.Who = nil
	}
	if len(one.Who) == 0 {
		one.Public = true
		one.Who = []string{"public"}
		if !route.Identify && !route.OpenToAll {
			one.Who = []string{"public (identify: none)"}
		}
		return one
	}
	one.Who = unique(one.Who)
	if route.Accept != nil {
		one.Providers = full(route.Accept.Names())
	}
	op, _ := route.Answer.(*gateway.Operation)
	if route.Requirement.NeedsResource() || route.Requirement.NeedsStepUp() || op != nil && op.People {
		// Neither second factors, roles on rows nor pages are keys' and machines'.
		one.Providers = slices.DeleteFunc(one.Providers, func(name string) bool { return ofKeys(site, name) })
	}
	return one
}

// ofKeys reports whether a provider's credentials are keys' or machines'.
func ofKeys(site *gateway.Site, name string) bool {
	return slices.ContainsFunc(site.Identity.Providers(), func(p *identity.Provider) bool {
		return p.Name == name && (p.Kind == identity.KindAPIKey || p.Kind == identity.KindMachine)
	})
}

// full is a list that is [] in JSON, never null.
func full[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func unique(list []string) (out []string) {
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// Write prints the report for people, no wider than width.
func (r *Report) Write(w io.Writer, width int) {
	for _, p := range r.Problems {
		fmt.Fprintln(w, p.String())
	}
	if !r.OK {
		n := 0
		for _, p := range r.Problems {
			if !p.Warning {
				n++
			}
		}
		fmt.Fprintf(w, "\n%s: %s\n", r.File, plural(n, "problem"))
		return
	}
	if len(r.Problems) > 0 {
		fmt.Fprintln(w)
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "SITE\tMETHOD\tPATH\tWHO MAY\tOPENED BY\tANSWER")
	for _, one := range r.Routes {
		by := strings.Join(one.Providers, ", ")
		if by == "" {
			by = "-"
			if !one.Public {
				by = "nobody"
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", one.Site, strings.Join(one.Methods, ","), one.Path,
			cut(strings.Join(one.Who, "; "), width/2), by, one.Answer)
	}
	_ = t.Flush()
	fmt.Fprintln(w)
	for _, p := range r.Opens {
		what := plural(len(p.Routes), "route")
		fmt.Fprintf(w, "%s: credentials of %s open %s\n", p.Site, p.Provider, what)
	}
	for _, o := range r.Owners {
		fmt.Fprintf(w, "%s: all of it is %s, for whoever calls\n", o.Site, o.Surface)
	}
	for _, off := range r.Off {
		fmt.Fprintf(w, "off: %s\n", off)
	}
	fmt.Fprintf(w, "%s: OK, %s\n", r.File, plural(len(r.Routes), "route"))
}

// JSON prints the report for programs.
func (r *Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// cut shortens a text to n characters.
func cut(s string, n int) string {
	r := []rune(s)
	if n < 24 {
		n = 24
	}
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
