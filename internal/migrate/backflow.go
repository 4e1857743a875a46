package migrate

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// dataLayer are the older backend's keys that Portreeve does not have, and
// what they were.
var dataLayer = map[string]string{
	"supabase": "", "sqlite": "", "databaseProvider": "", "credentials": "", "cache": "", "agent": "", "userLimits": "",
	"supabaseQueries": "", "firebaseQueries": "", "integrations": "", "workflow": "", "excludeFields": "",
}

const ofDataLayer = "belongs to the older backend's data layer"

// backflow is one import of an older backend's configuration.
type backflow struct {
	Report
	in, out *tree
	seen    map[string]string // method and shape of a path → where it stood
	before  []placed
	uses    map[string]bool // providers that routes ask for, "permissions"
	vars    map[string]bool // variables that the file reads
}

// Backflow turns the older backend's config.json into a portreeve.yaml. What the
// file says of authentication and routes is taken; its data layer is left, and
// listed.
func Backflow(src []byte, name string) (file []byte, r *Report, err error) {
	in, err := readJSON(src, false)
	if err != nil {
		return nil, nil, err
	}
	b := &backflow{in: in, out: object(), seen: map[string]string{}, uses: map[string]bool{}, vars: map[string]bool{}}
	routes := b.routes(in.get("routes"))
	b.providers()
	b.roles()
	for _, m := range in.object {
		switch _, data := dataLayer[m.name]; {
		case m.name == "jwt", m.name == "firebase", m.name == "rbac", m.name == "routes":
		case m.name == "rateLimit":
			b.limits(m.value, "rateLimit", b.out)
		case data:
			b.left(m.name, "", ofDataLayer)
		case m.name == "mfa":
			b.out.set("mfa", object()) // it is on by itself; the key says that it was meant
			b.took("mfa", 0, "")
			for _, under := range m.value.object {
				b.left("mfa."+clip(under.name), "", "is no setting here")
			}
		case m.name == "environment" || m.name == "listen":
			b.out.set(m.name, m.value)
			b.took(m.name, 0, "")
		default:
			b.left(clip(m.name), "", "is no key of Portreeve's")
		}
	}
	if b.uses["apiKey"] {
		b.out.set("tenantApi", object())
		b.took("tenantApi", 0, "routes ask for API keys")
	}
	if routes != nil {
		b.out.set("routes", routes)
	}
	b.out.each(func(s string) { variables(s, b.vars) })
	file, err = b.out.yaml(b.heading(name))
	b.Changed = true
	return file, b.finish(), err
}

func (b *backflow) heading(name string) string {
	s := "Written by `portreeve import backflow` from " + clip(oneLine(name)) + ". Check it with `portreeve check`.\n"
	if vars := names(b.vars); len(vars) > 0 {
		s += "It reads " + strings.Join(vars, ", ") + " from the environment.\n"
	}
	return s + "Routes without an answer of their own go to the upstream: name the old backend, on an\n" +
		"address that only Portreeve reaches, as in\n\nupstream: http://127.0.0.1:3000\n"
}

// oneLine is a text that can stand in a comment: without what ends a line
// anywhere, or does not print.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '_'
		}
		return r
	}, s)
}

func names(set map[string]bool) []string {
	var out []string
	for name := range set {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// providers takes jwt and firebase, and puts what routes ask for and the file
// does not say, since the older backend took it from the environment.
func (b *backflow) providers() {
	jwt := b.in.get("jwt")
	if jwt == nil && (b.uses["jwt"] || b.uses["auth"] && b.in.get("firebase") == nil) {
		jwt = object()
		jwt.set("secret", text("{{env.JWT_SECRET}}"))
	}
	if jwt != nil {
		b.out.set("jwt", b.members(jwt, "jwt", map[string]string{"secret": "JWT_SECRET", "issuer": "", "audience": ""}))
		b.took("jwt", 0, "")
	}
	firebase := b.in.get("firebase")
	if firebase == nil && b.uses["firebase"] {
		firebase = object()
		firebase.set("projectId", text("{{env.FIREBASE_PROJECT_ID}}"))
	}
	if firebase != nil {
		b.out.set("firebase", b.members(firebase, "firebase", map[string]string{"projectId": "", "clientEmail": "", "privateKey": "FIREBASE_PRIVATE_KEY"}))
		b.took("firebase", 0, "")
	}
}

// members takes the members of an object that are known by name. One that is
// secret and written out becomes a variable.
func (b *backflow) members(in *tree, at string, known map[string]string) *tree {
	out := object()
	for _, m := range in.object {
		variable, ok := known[m.name]
		value, isText := m.value.text()
		switch {
		case !ok:
			b.left(at+"."+clip(m.name), "", "is no key of Portreeve's")
		case m.value.kind == isObject:
			b.left(at+"."+m.name, "", "is an object where a text is expected")
		case variable != "" && !(isText && fromOutside(value)):
			out.set(m.name, text("{{env."+variable+"}}"))
			b.left(at+"."+m.name, "", "the value itself: a secret does not stand in the file; put it into the variable "+variable)
		default:
			out.set(m.name, m.value)
		}
	}
	return out
}

// fromOutside reports whether a text is one variable.
func fromOutside(s string) bool {
	s = strings.TrimSpace(entities.Replace(s))
	return strings.HasPrefix(s, "{{env.") && strings.HasSuffix(s, "}}") && strings.Count(s, "{{") == 1 && !strings.Contains(s, ":-") ||
		strings.HasPrefix(s, "${") && strings.HasSuffix(s, "}") && strings.Count(s, "${") == 1 && !strings.Contains(s, ":-")
}

// entities are how the older documentation prints braces.
var entities = strings.NewReplacer("&#123;", "{", "&#125;", "}")

// roles takes rbac.
func (b *backflow) roles() {
	in, out := b.in.get("rbac"), object()
	if in == nil && !b.uses["permissions"] {
		return
	}
	known := map[string]bool{"admin": true, "member": true, "viewer": true, "user": true}
	if in != nil {
		for _, m := range in.object {
			switch m.name {
			case "enabled":
				if b.uses["permissions"] && !m.value.yes() {
					b.left("rbac.enabled", "", "routes ask for permissions, which would count for nothing: it is on")
				}
			case "roles":
				if list := b.roleList(m.value, known); list != nil {
					out.set("roles", list)
				}
			case "defaultRole":
			default:
				b.left("rbac."+clip(m.name), "", "is no key of Portreeve's")
			}
		}
	}
	on := &tree{scalar: in == nil || b.uses["permissions"] || in.get("enabled") == nil || in.get("enabled").yes()}
	out.object = append([]member{{name: "enabled", value: on}}, out.object...)
	if role, ok := in.get("defaultRole").text(); ok {
		if known[role] {
			out.set("defaultRole", text(role))
		} else {
			b.left("rbac.defaultRole", "", "names a role that the file does not define: add it to rbac.roles")
		}
	}
	b.out.set("rbac", out)
	b.took("rbac", 0, "")
}

func (b *backflow) roleList(in *tree, known map[string]bool) *tree {
	out := &tree{kind: isList}
	for i, role := range in.list {
		at := fmt.Sprintf("rbac.roles[%d]", i)
		name, ok := role.get("name").text()
		if !ok || name == "" {
			b.left(at, "", "has no name")
			continue
		}
		known[name] = true
		out.list = append(out.list, b.members(role, at, map[string]string{"name": "", "description": "", "permissions": "", "parentRole": ""}))
	}
	if len(out.list) == 0 {
		return nil
	}
	return out
}

// limits takes rateLimit of the top level.
func (b *backflow) limits(in *tree, at string, to *tree) {
	out := object()
	for _, m := range in.object {
		switch {
		case m.name == "enabled" && m.value.kind == isScalar:
			out.set(m.name, m.value)
		case m.name == "default":
			if rule := b.rule(m.value, at+".default"); rule != nil {
				out.set(m.name, rule)
			}
		case m.name == "perEndpoint":
			per := object()
			for _, e := range m.value.object {
				if rule := b.rule(e.value, at+".perEndpoint."+clip(e.name)); rule != nil {
					per.set(e.name, rule)
				}
			}
			out.set(m.name, per)
		default:
			b.left(at+"."+clip(m.name), "", "is no key of this release")
		}
	}
	if len(out.object) > 0 {
		to.set("rateLimit", out)
		b.took(at, 0, "")
	}
}

// rule takes one limit: windowMs and max, whole numbers.
func (b *backflow) rule(in *tree, at string) *tree {
	out := object()
	for _, name := range []string{"windowMs", "max"} {
		n, ok := scalarOf(in.get(name)).(json.Number)
		if !ok || strings.ContainsAny(n.String(), ".eE-") || n == "0" {
			b.left(at, "", "needs windowMs and max, whole numbers above 0")
			return nil
		}
		out.set(name, in.get(name))
	}
	for _, m := range in.object {
		if m.name != "windowMs" && m.name != "max" {
			b.left(at+"."+clip(m.name), "", "is no key of Portreeve's")
		}
	}
	return out
}

func scalarOf(t *tree) any {
	if t == nil {
		return nil
	}
	return t.scalar
}
