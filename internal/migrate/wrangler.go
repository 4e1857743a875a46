package migrate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/portreeve/portreeve/internal/request"
)

// wrangler is one import of a worker's configuration.
type wrangler struct {
	Report
	root, env *tree // the file, and its [env.X], which may be the file itself
	name      string
	vars      map[string]string
	reads     map[string]bool // variables that the written file reads
	read      map[string]bool // vars of the file that went somewhere
	unknown   []string        // keys that are to fill in
}

// Wrangler turns a worker's wrangler.toml, .json or .jsonc into a portreeve.yaml
// for one of its environments ("": the top level). Hosts, the environment, Access
// settings and what the variables of the edge's four workers say are taken. What only
// a worker's code knows, such as the texts of campaigns, has its key with a comment
// and no value, so that check points at it.
func Wrangler(src []byte, file, env string) (out []byte, r *Report, err error) {
	root, err := readWrangler(src, file)
	if err != nil {
		return nil, nil, err
	}
	w := &wrangler{root: root, env: root, name: env, vars: map[string]string{}, reads: map[string]bool{}, read: map[string]bool{}}
	if envs := root.get("env"); env != "" {
		if w.env = envs.get(env); w.env == nil {
			return nil, nil, fmt.Errorf("the file has no environment %q%s", clip(oneLine(env)), hasEnvs(envs))
		}
	} else if envs != nil && len(envs.object) > 0 {
		w.left("env", "", "only the top level was read; name one with --env"+hasEnvs(envs))
	}
	w.variables()
	doc := w.file()
	w.others()
	out, err = doc.yaml(w.heading(file))
	w.Changed = true
	return out, w.finish(), err
}

func hasEnvs(envs *tree) string {
	if envs == nil || len(envs.object) == 0 {
		return ""
	}
	var list []string
	for _, m := range envs.object {
		list = append(list, clip(oneLine(m.name)))
	}
	slices.Sort(list)
	return "; it has " + strings.Join(list, ", ")
}

func readWrangler(src []byte, file string) (*tree, error) {
	if ext := path.Ext(file); ext == ".json" || ext == ".jsonc" || ext != ".toml" && bytes.HasPrefix(bytes.TrimSpace(src), []byte("{")) {
		return readJSON(src, true)
	}
	if len(src) > maxFile {
		return nil, fmt.Errorf("the file is larger than %d MiB", maxFile>>20)
	}
	var v map[string]any
	if _, err := toml.NewDecoder(bytes.NewReader(src)).Decode(&v); err != nil {
		return nil, wrongTOML(err)
	}
	return fromTOML(v, 0)
}

// wrongTOML says where the syntax breaks, without quoting the file.
func wrongTOML(err error) error {
	if p, ok := err.(toml.ParseError); ok { //nolint:errorlint // as the library documents it
		return fmt.Errorf("line %d: the file is not TOML", p.Position.Line)
	}
	return fmt.Errorf("the file is not TOML")
}

// fromTOML orders members by their names: TOML tables have no order that counts.
func fromTOML(v any, depth int) (*tree, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("the file is nested deeper than %d", maxDepth)
	}
	t := &tree{}
	switch v := v.(type) {
	case map[string]any:
		t.kind = isObject
		keys := map[string]bool{}
		for k := range v {
			keys[k] = true
		}
		for _, k := range names(keys) {
			m, err := fromTOML(v[k], depth+1)
			if err != nil {
				return nil, err
			}
			t.set(k, m)
		}
	case []map[string]any:
		t.kind = isList
		for _, item := range v {
			m, err := fromTOML(item, depth+1)
			if err != nil {
				return nil, err
			}
			t.list = append(t.list, m)
		}
	case []any:
		t.kind = isList
		for _, item := range v {
			m, err := fromTOML(item, depth+1)
			if err != nil {
				return nil, err
			}
			t.list = append(t.list, m)
		}
	case string, bool:
		t.scalar = v
	case int64, float64:
		t.scalar = json.Number(fmt.Sprint(v))
	default: // dates
		t.scalar = fmt.Sprint(v)
	}
	return t, nil
}

// variables reads vars: an environment does not inherit them.
func (w *wrangler) variables() {
	vars := w.env.get("vars")
	if vars == nil {
		return
	}
	for _, m := range vars.object {
		switch v := m.value.scalar.(type) {
		case string:
			w.vars[m.name] = v
		case bool:
			w.vars[m.name] = fmt.Sprint(v)
		case json.Number:
			w.vars[m.name] = v.String()
		}
	}
}

// value is what a variable of the worker is in the file: its text, or where it
// is secret or not said, the variable.
func (w *wrangler) value(name string, secret bool) string {
	w.read[name] = true
	v, ok := w.vars[name]
	if !ok || secret || v == "" {
		if ok && secret && v != "" {
			w.left("vars."+name, "", "the value itself: a secret does not stand in the file; put it into the variable")
		}
		return w.variable(name)
	}
	if strings.Contains(v, "{{") || strings.Contains(v, "${") || entities.Replace(v) != v || v != oneLine(v) {
		w.left("vars."+name, "", "its text would be read as something else; put it into the variable")
		return w.variable(name)
	}
	return v
}

// variable is how the file reads one from outside.
func (w *wrangler) variable(name string) string {
	w.reads[name] = true
	return "{{env." + name + "}}"
}

// has reports whether the worker has a variable, set to something or not.
func (w *wrangler) has(list ...string) bool {
	return slices.ContainsFunc(list, func(name string) bool { _, ok := w.vars[name]; return ok })
}

// hosts are the names under which the worker is called.
func (w *wrangler) hosts() []string {
	routes := w.env.get("routes")
	if routes == nil {
		routes = w.env.get("route")
	}
	if routes == nil && w.env != w.root { // inherited
		if routes = w.root.get("routes"); routes == nil {
			routes = w.root.get("route")
		}
	}
	if routes == nil {
		return nil
	}
	list := routes.list
	if routes.kind != isList {
		list = []*tree{routes}
	}
	var out []string
	for i, item := range list {
		at := fmt.Sprintf("routes[%d]", i)
		pattern, ok := item.text()
		if !ok {
			pattern, _ = item.get("pattern").text()
		}
		host, rest, why := hostOf(pattern)
		if why != "" {
			w.left(at, clip(oneLine(pattern)), why)
			continue
		}
		if rest != "" && rest != "/*" && rest != "/" {
			w.left(at, clip(oneLine(pattern)), "the site has its whole host: a path is a route's")
		}
		if !slices.Contains(out, host) {
			out = append(out, host)
		}
	}
	return out
}

// hostOf takes the host off a route's pattern.
func hostOf(pattern string) (host, rest, why string) {
	_, after, scheme := strings.Cut(pattern, "://")
	if scheme {
		pattern = after
	}
	host, rest = pattern, ""
	if i := strings.IndexByte(pattern, '/'); i >= 0 {
		host, rest = pattern[:i], pattern[i:]
	}
	plain, _ := strings.CutPrefix(host, "*.")
	name, ok := request.CanonicalHost(plain)
	switch {
	case strings.Contains(plain, "*"):
		return "", "", "a host matches as a whole or as *.domain"
	case !ok || strings.Contains(host, ":"):
		return "", "", "is no host"
	case strings.HasPrefix(host, "*."):
		return "*." + name, rest, ""
	}
	return name, rest, ""
}

func (w *wrangler) heading(file string) string {
	s := "Written by `portreeve import wrangler` from " + clip(oneLine(path.Base(file)))
	if w.name != "" {
		s += ", environment " + clip(oneLine(w.name))
	}
	s += ".\nCheck it with `portreeve check`"
	if len(w.unknown) > 0 {
		s += ", which points at what is to fill in"
	}
	s += ".\n"
	if vars := names(w.reads); len(vars) > 0 {
		s += "Variables: " + strings.Join(vars, ", ") + ".\n"
	}
	return s
}
