package migrate

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/gateway"
)

// routes takes what routes say without the data layer.
func (b *backflow) routes(in *tree) *tree {
	if in == nil {
		return nil
	}
	out := &tree{kind: isList}
	for i, route := range in.list {
		if r := b.route(route, fmt.Sprintf("routes[%d]", i)); r != nil {
			out.list = append(out.list, r)
		}
	}
	if len(out.list) > 0 {
		b.took("routes", len(out.list), "")
		return out
	}
	return nil
}

var methodNames = []string{"get", "head", "post", "put", "patch", "delete", "options", "any"}

func (b *backflow) route(in *tree, at string) *tree {
	path, _ := in.get("path").text()
	methods := in.get("method").texts()
	for i := range methods {
		methods[i] = strings.ToLower(methods[i])
		if !slices.Contains(methodNames, methods[i]) {
			methods = nil
			break
		}
	}
	why := b.place(path, methods, at)
	if provider := in.get("authProvider"); why == "" && provider != nil && len(known(provider)) == 0 {
		why = "asks for a provider that is not known here: with another it would open to others" // the route is not public without it
	}
	if why != "" {
		b.left(at, clip(oneLine(path)), why)
		return nil
	}
	b.shadows(path, methods, at)
	out := object()
	for _, m := range in.object {
		key := at + "." + clip(m.name)
		if _, data := dataLayer[m.name]; data {
			why := ofDataLayer
			if m.name == "excludeFields" {
				why += ": whoever may call the route sees what its upstream answers"
			}
			if m.name == "cache" {
				why = "an answer cache is not Portreeve's; sharedCache: true lets one in front keep answers"
			}
			b.left(key, "", why)
			continue
		}
		switch m.name {
		case "path", "description", "requiredScopes", "requiredRoles", "status":
			out.set(m.name, m.value)
		case "method":
			out.set(m.name, listOf(methods))
		case "tags":
			out.set(m.name, listOf(m.value.texts()))
		case "requireAuth":
			b.requireAuth(in, m, out, key)
		case "requireMfa":
			out.set(m.name, m.value)
			b.uses["auth"] = true
		case "authProvider":
			b.provider(m.value, out, key)
		case "requiredPermissions":
			if list := m.value.texts(); len(list) > 0 {
				out.set(m.name, listOf(list))
				b.uses["permissions"], b.uses["auth"] = true, true
			}
		case "rateLimit":
			if rule := b.rule(m.value, key); rule != nil {
				out.set(m.name, rule)
			}
		case "data", "response":
			b.answer(in, m, out, key)
		default:
			b.left(key, "", "is no key of Portreeve's")
		}
	}
	return out
}

func listOf(texts []string) *tree {
	if len(texts) == 1 {
		return text(texts[0])
	}
	t := &tree{kind: isList}
	for _, s := range texts {
		t.list = append(t.list, text(s))
	}
	return t
}

// place says why a route cannot stand where it wants to, "" where it can.
func (b *backflow) place(path string, methods []string, at string) string {
	if path == "" || len(methods) == 0 {
		return "has no path, or no method that is known"
	}
	if strings.Contains(path, "{{") || strings.Contains(path, "${") {
		return "a path holds no templates"
	}
	pattern, err := gateway.ParsePattern(path)
	if err != nil {
		return "its path cannot be had: " + err.Error()
	}
	if own(path) {
		return "Portreeve serves this path itself"
	}
	shape := params.ReplaceAllString(pattern.Text, "/:")
	for _, m := range methods {
		if before := b.seen[m+" "+shape]; before != "" {
			return "the same method and path as " + before + ", which came first and counted"
		}
	}
	for _, m := range methods {
		b.seen[m+" "+shape] = at
	}
	return ""
}

var params = regexp.MustCompile(`/:[^/]*`)

// own reports whether a path is one of Portreeve's, as they stand where tenantApi
// does.
func own(path string) bool {
	for _, p := range []string{"/.portreeve", "/rbac", "/tenant/api-keys", "/tenant/secrets", "/tenant/users", "/tenant/config", "/tenant/rbac", "/mfa"} {
		if path == p || strings.HasPrefix(path, p+"/") {
			return true
		}
	}
	return path == "/health" || path == "/usage/summary" || path == "/usage/history"
}

// requireAuth passes a false on only where nothing else asks for a caller: there
// the older backend asked all the same.
func (b *backflow) requireAuth(in *tree, m member, out *tree, key string) {
	if m.value.yes() {
		out.set(m.name, m.value)
		b.uses["auth"] = true
		return
	}
	if in.get("authProvider") != nil || len(in.get("requiredPermissions").texts()) > 0 {
		b.left(key, "", "false contradicts what else the route asks for")
		return
	}
	out.set(m.name, &tree{scalar: false})
}

func (b *backflow) provider(in, out *tree, key string) {
	list := known(in)
	if len(list) < len(in.texts()) {
		b.left(key, "", "names a provider besides that is not known here")
	}
	for _, p := range list {
		b.uses[p] = true
	}
	out.set("authProvider", listOf(list))
}

// known are the providers of a list that Portreeve has too.
func known(in *tree) (out []string) {
	for _, p := range in.texts() {
		if (p == "jwt" || p == "firebase" || p == "apiKey") && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// shadows says where a route before this one matches whatever it matches: which
// of them counts is another here, and may ask for less.
func (b *backflow) shadows(path string, methods []string, at string) {
	for _, before := range b.before {
		if covers(before.path, path) && slices.ContainsFunc(methods, func(m string) bool {
			return m == "any" || slices.Contains(before.methods, m) || slices.Contains(before.methods, "any")
		}) {
			b.left(at, clip(oneLine(path)), "is taken; but "+before.at+" ("+clip(oneLine(before.path))+") comes before it and matches the same: here the most specific path counts, so see that it asks for enough")
			break
		}
	}
	if len(b.before) < mostBefore {
		b.before = append(b.before, placed{at, path, methods})
	}
}

// placed is a route that was taken.
type placed struct {
	at, path string
	methods  []string
}

// mostBefore bounds what each route is compared with.
const mostBefore = 2000

// covers reports whether every path of the second pattern is one of the first.
func covers(wide, narrow string) bool {
	if wide == narrow {
		return false
	}
	w, n := strings.Split(wide, "/"), strings.Split(narrow, "/")
	for i, piece := range w {
		switch {
		case piece == "*" && i == len(w)-1:
			return true
		case i >= len(n) || n[i] == "*":
			return false
		case strings.HasPrefix(piece, ":"):
		case piece != n[i]:
			return false
		}
	}
	return len(w) == len(n)
}

// answer takes data and response whose templates Portreeve can read.
func (b *backflow) answer(in *tree, m member, out *tree, key string) {
	why := ""
	if m.name == "response" && m.value.kind != isScalar {
		why = "is no text"
	}
	if m.name == "data" && in.get("operation") != nil {
		why = ofDataLayer // what a query writes
	}
	if in.get("data") != nil && m.name == "response" {
		why = "stands beside data, and one answer is enough"
	}
	m.value.each(func(s string) {
		if bad := foreign(s); bad != "" && why == "" {
			why = "reads {{" + bad + "}}, which Portreeve does not have"
		}
	})
	if why != "" {
		b.left(key, "", why)
		return
	}
	out.set(m.name, m.value)
}

var (
	templates = regexp.MustCompile(`\{\{\s*([^{}]*?)\s*\}\}`)
	readable  = regexp.MustCompile(`^(env\.[A-Za-z_][A-Za-z0-9_]*(:-.*)?|auth((\.[A-Za-z0-9_-]+|\[[0-9]{1,6}\])*)|params\.[A-Za-z0-9_-]+|query\.[A-Za-z0-9_-]+|headers\.[A-Za-z0-9_-]+|body((\.[A-Za-z0-9_-]+|\[[0-9]{1,6}\])*)|tenant\.id|request\.(id|ip|method|path)|now)\??$`)
	variable  = regexp.MustCompile(`\{\{\s*env\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\}|\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)
)

// foreign is the first template of a text that Portreeve cannot read, "" where
// there is none.
func foreign(s string) string {
	s = entities.Replace(s)
	for _, m := range templates.FindAllStringSubmatch(s, -1) {
		if !readable.MatchString(m[1]) {
			return clip(oneLine(m[1]))
		}
	}
	if rest := templates.ReplaceAllString(s, ""); strings.Contains(rest, "{{") {
		return "…"
	}
	return ""
}

// variables notes which variables a text needs.
func variables(s string, into map[string]bool) {
	for _, m := range variable.FindAllStringSubmatch(entities.Replace(s), -1) {
		into[m[1]+m[2]] = true
	}
}
