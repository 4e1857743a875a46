package migrate

import (
	"fmt"
	"slices"
	"strings"
)

// file puts together what is written.
func (w *wrangler) file() *tree {
	out := object()
	env := w.environment()
	out.set("environment", text(env))
	w.took("environment", 0, env)
	access := w.access()
	later := w.later(access != nil)
	hosts := w.hosts()
	site := out
	if len(hosts) > 0 {
		site = object()
		site.set("hosts", listOf(hosts))
		out.set("sites", &tree{kind: isList, list: []*tree{site}})
		w.took("hosts", len(hosts), strings.Join(hosts, ", "))
	}
	if access != nil {
		site.set("access", access)
		w.took("access", 0, "")
		if !w.has("AUTH0_BASE_URL") {
			later = append([]string{"What the worker answered itself needs a place: upstream: http://127.0.0.1:9000, and routes that say who may."}, later...)
		}
	}
	if len(later) > 0 {
		w.comment(site, later)
	}
	return out
}

// comment puts lines where the site's other keys would stand: above its last key,
// since nothing follows them.
func (w *wrangler) comment(site *tree, lines []string) {
	last := &site.object[len(site.object)-1]
	last.comment = strings.Join(lines, "\n")
}

// environment is prod, test or dev: what the worker is told, else what its
// environment is called, else prod, which weakens no check.
func (w *wrangler) environment() string {
	w.read["WORKER_ENV"] = true
	for _, s := range []string{w.vars["WORKER_ENV"], w.name} {
		switch s {
		case "prod", "test", "dev":
			return s
		case "production":
			return "prod"
		}
	}
	return "prod"
}

// access are the settings of Cloudflare Access, where the worker has any.
func (w *wrangler) access() *tree {
	if !w.has("ACCESS_TEAM_DOMAIN", "ACCESS_AUD", "CF_ACCESS_AUD") {
		return nil
	}
	out := object()
	domain := strings.TrimSuffix(strings.TrimPrefix(w.value("ACCESS_TEAM_DOMAIN", false), "https://"), "/")
	out.set("teamDomain", text(domain))
	name := "ACCESS_AUD"
	if !w.has(name) {
		name = "CF_ACCESS_AUD"
	}
	w.read["ACCESS_AUD"], w.read["CF_ACCESS_AUD"] = true, true
	out.set("audience", text(w.value(name, false)))
	if w.vars[name] == "" {
		w.left("vars."+name, "", "is empty: it is read from the variable; without an audience nobody is let in")
	}
	return out
}

// setting is one key of a surface and the variable that it comes from.
type setting struct {
	key, variable string
	secret        bool
}

// later are the surfaces that a later release serves, as comments.
func (w *wrangler) later(access bool) []string {
	auth0 := []setting{{"baseURL", "AUTH0_BASE_URL", false}, {"clientId", "AUTH0_CLIENT_ID", false}, {"clientSecret", "AUTH0_CLIENT_SECRET", true},
		{"audience", "AUTH0_AUTHENTICATION_AUDIENCE", false}, {"connection", "AUTH0_CONNECTION", false}}
	var lines []string
	surface := func(name, what string, list []setting, more ...string) {
		lines = append(lines, what+":", name+":")
		for _, s := range list {
			value := w.value(s.variable, s.secret)
			if s.key == "baseURL" && strings.HasPrefix(value, "http") {
				value = strings.TrimSuffix(value, "/")
			}
			lines = append(lines, "  "+s.key+": "+quote(value))
		}
		for _, m := range more {
			lines = append(lines, "  "+m)
		}
		w.left(name, "", "is served by a later release; what it needs stands in the file as comments")
	}
	kind := w.worker()
	switch {
	case w.has("AUTH0_BASE_URL") && kind == "login":
		surface("login", "The login edge, in a later release", auth0, w.loginMore()...)
	case w.has("AUTH0_BASE_URL"):
		surface("backoffice", "The backoffice login, in a later release", auth0)
	case kind == "sms":
		surface("sms", "Text-me-the-app, in a later release", nil, "twilio:", "  authToken: "+quote(w.value("TWILIO_AUTH_TOKEN", true)), "campaigns: {}")
	case kind == "links":
		surface("links", "Deep links, in a later release", nil, "ios: []", "android: []")
	case access && w.env.get("d1_databases") != nil:
		lines = append(lines, "What is in its D1 database: wrangler d1 export NAME --remote --output dump.sql, then portreeve import d1 dump.sql.")
		w.left("escrow, agents", "", "secret escrow and roles on resources come with later releases")
	}
	if w.has("DATADOG_API_KEY") {
		w.read["DATADOG_API_KEY"] = true
		w.left("vars.DATADOG_API_KEY", "", "shipping logs to Datadog comes with a later release")
	}
	return lines
}

// worker guesses which of the edge's workers this is, by what only one of them
// has, else by how it is called.
func (w *wrangler) worker() string {
	name, _ := w.root.get("name").text()
	if n, ok := w.env.get("name").text(); ok {
		name = n
	}
	name = strings.ToLower(name)
	switch {
	case w.has("ENABLE_CASTLE_BLOCKING", "AUTH0_MFA_AUDIENCE", "USER_SERVICE_URL", "CASTLE_API_SECRET"):
		return "login"
	case w.has("TWILIO_AUTH_TOKEN"), strings.HasSuffix(name, "sms"):
		return "sms"
	case strings.HasSuffix(name, "links"):
		return "links"
	}
	return ""
}

func (w *wrangler) loginMore() []string {
	var out []string
	group := func(name string, list ...setting) {
		var inside []string
		for _, s := range list {
			if w.has(s.variable) {
				inside = append(inside, "  "+s.key+": "+quote(w.value(s.variable, s.secret)))
			}
		}
		if len(inside) > 0 {
			out = append(append(out, name+":"), inside...)
		}
	}
	group("mfa", setting{"audience", "AUTH0_MFA_AUDIENCE", false}, setting{"clientId", "AUTH0_MFA_CLIENT_ID", false}, setting{"clientSecret", "AUTH0_MFA_CLIENT_SECRET", true})
	group("management", setting{"clientId", "AUTH0_MANAGEMENT_CLIENT_ID", false}, setting{"clientSecret", "AUTH0_MANAGEMENT_CLIENT_SECRET", true})
	if w.has("ENABLE_CASTLE_BLOCKING", "CASTLE_API_SECRET") {
		w.read["ENABLE_CASTLE_BLOCKING"] = true
		out = append(out, "risk:", "  castle:", "    apiSecret: "+quote(w.value("CASTLE_API_SECRET", true)),
			"    blocking: "+fmt.Sprint(w.vars["ENABLE_CASTLE_BLOCKING"] == "true"), "    onError: allow # or deny")
	}
	group("userService", setting{"url", "USER_SERVICE_URL", false})
	return out
}

// quote writes a text for YAML within a comment: one line, whatever is in it.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(oneLine(s)) + `"`
}

// others lists what else the file says.
func (w *wrangler) others() {
	for _, name := range sorted(w.vars) {
		if w.read[name] {
			continue
		}
		w.left("vars."+clip(oneLine(name)), "", "nothing here reads it")
	}
	if vars := w.env.get("vars"); vars != nil {
		for _, m := range vars.object {
			if _, plain := w.vars[m.name]; !plain {
				w.left("vars."+clip(oneLine(m.name)), "", "is no text")
			}
		}
	}
	skip := []string{"name", "vars", "routes", "route", "env"}
	seen := map[string]bool{}
	for _, t := range []*tree{w.root, w.env} {
		for _, m := range t.object {
			if slices.Contains(skip, m.name) || seen[m.name] {
				continue
			}
			seen[m.name] = true
			w.left(clip(oneLine(m.name)), "", whyPlatform(m.name))
		}
	}
}

func sorted(vars map[string]string) []string {
	set := map[string]bool{}
	for name := range vars {
		set[name] = true
	}
	return names(set)
}

// whyPlatform says why a key of the worker's platform has no counterpart.
func whyPlatform(key string) string {
	switch key {
	case "main", "compatibility_date", "compatibility_flags", "build", "minify", "rules", "assets", "site", "no_bundle", "tsconfig", "upload_source_maps", "type", "webpack_config":
		return "is about the worker's code"
	case "account_id", "zone_id", "workers_dev", "preview_urls", "placement", "limits", "usage_model", "logpush", "observability", "tail_consumers", "dev", "$schema", "keep_vars", "send_metrics":
		return "is about the worker's platform"
	case "d1_databases":
		return "its rows come by portreeve import d1"
	case "triggers":
		return "nothing here runs at set times for others"
	}
	return "is a binding or setting of the worker's platform"
}
