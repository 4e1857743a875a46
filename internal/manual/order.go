package manual

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// group is a part of the site.
type group struct {
	Name  string
	Long  bool // folded away in lists, unless the page shown is one of it
	texts []*text

	first  []string // sources in their order; others of the folder follow by name
	folder string
}

// parts are the site in reading order. A text that none of them names stands at
// the end of the part of its folder, so that a new one needs no entry here.
func parts() []*group {
	return []*group{
		{Name: "Start", first: []string{"index.md", "tutorial.md"}, folder: "-"},
		{Name: "How to", folder: "howto", first: []string{"howto/index.md", "howto/gateway.md", "howto/tenants-and-keys.md", "howto/people.md", "howto/second-factors.md",
			"howto/agents.md", "howto/login.md",
			"howto/actions.md", "howto/links.md", "howto/sms.md", "howto/escrow.md", "howto/tls.md"}},
		{Name: "Move from", folder: "-", first: []string{"howto/move-from-backoffice-worker.md", "howto/move-from-edge-workers.md", "howto/move-from-provisioning.md",
			"howto/move-from-agents-api.md", "howto/move-from-backflow.md"}},
		{Name: "Reference", folder: ".", first: []string{"config.md", "operations.md", "escrow-formats.md", "compatibility.md"}},
		{Name: "Examples", Long: true, folder: "../examples"},
		{Name: "Security", folder: "security", first: []string{"security.md"}},
		{Name: "Inside", folder: "-", first: []string{"architecture.md", "dependencies.md"}},
		{Name: "Decisions", Long: true, folder: "adr"},
	}
}

// collect reads every text and puts it in its place.
func collect(o Options) ([]*text, []*group, error) {
	all := map[string][]byte{}
	read := func(from fs.FS, prefix, ext string) error {
		return fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || path.Ext(name) != ext {
				return err
			}
			raw, err := fs.ReadFile(from, name)
			all[prefix+name] = bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
			return err
		})
	}
	if err := errors.Join(read(o.Docs, "", ".md"), read(o.Examples, "../examples/", ".yaml")); err != nil {
		return nil, nil, err
	}
	groups, placed, out := parts(), map[string]bool{}, []*text{}
	add := func(g *group, source string) error {
		t := &text{source: source, group: g, raw: all[source], path: pathOf(source)}
		if t.title = titleOf(t); t.title == "" {
			return fmt.Errorf("%s begins with no title", source)
		}
		t.label, _, _ = strings.Cut(t.title, ": ")
		if path.Base(source) == "index.md" {
			t.label = "Overview"
		}
		t.label = strings.TrimPrefix(t.label, g.Name+" ")
		t.names = names{}
		placed[source] = true
		g.texts = append(g.texts, t.split()...)
		return nil
	}
	for _, g := range groups {
		for _, source := range g.first {
			if all[source] == nil {
				continue
			}
			if err := add(g, source); err != nil {
				return nil, nil, err
			}
		}
	}
	var rest []string
	for source := range all {
		rest = append(rest, source)
	}
	slices.Sort(rest)
	for _, source := range rest {
		if placed[source] {
			continue
		}
		i := slices.IndexFunc(groups, func(g *group) bool { return g.folder == path.Dir(source) })
		if i < 0 {
			return nil, nil, fmt.Errorf("%s: its folder is no part of the site", source)
		}
		if err := add(groups[i], source); err != nil {
			return nil, nil, err
		}
	}
	for _, g := range groups {
		out = append(out, g.texts...)
	}
	return out, slices.DeleteFunc(groups, func(g *group) bool { return len(g.texts) == 0 }), nil
}

// pathOf is where a text's page stands.
func pathOf(source string) string {
	return strings.TrimSuffix(strings.TrimPrefix(source, "../"), path.Ext(source)) + ".html"
}

// titleOf is a text's heading, an example's name.
func titleOf(t *text) string {
	if path.Ext(t.source) != ".md" {
		return path.Base(t.source)
	}
	line, _, _ := bytes.Cut(t.raw, []byte("\n"))
	title, ok := strings.CutPrefix(string(line), "# ")
	if !ok {
		return ""
	}
	return strings.TrimSpace(strings.ReplaceAll(title, "`", ""))
}
