package migrate

import (
	"slices"
	"strings"
)

// file puts together what is written.
func (w *wrangler) file() *tree {
	out := object()
	env := w.environment()
	out.set("environment", text(env))
	w.took("environment", 0, env)
	kind, by := w.worker()
	if kind != "" && kind != "links" {
		w.stored(out, env)
	}
	if kind != "" || w.has("DATADOG_API_KEY") {
		w.datadog(out, kind)
	}
	hosts := w.hosts()
	site := out
	if len(hosts) > 0 {
		site = object()
		site.set("hosts", listOf(hosts))
		out.set("sites", list(site))
		w.took("hosts", len(hosts), strings.Join(hosts, ", "))
	}
	if kind == "" {
		w.protected(site)
		return out
	}
	site.set(kind, w.surface(kind))
	w.took(kind, 0, by)
	out.object[len(out.object)-1].comment = "Behind Cloudflare the client's address is known by its header alone:\ntrustedProxies: [{from: cloudflare, header: CF-Connecting-IP}]"
	if n := len(w.unknown); n > 0 {
		w.left(kind, "", "what its code said and its file does not is to fill in: "+strings.Join(w.unknown, ", "))
	}
	return out
}

// protected are the keys of a worker behind Access, whose answers are its own.
func (w *wrangler) protected(site *tree) {
	access := w.access()
	if access == nil {
		return
	}
	site.set("access", access)
	w.took("access", 0, "")
	lines := []string{"What the worker answered itself needs a place: upstream: http://127.0.0.1:9000, and routes that say who may."}
	if w.env.get("d1_databases") != nil || w.root.get("d1_databases") != nil {
		lines = append(lines, "What is in its D1 database: wrangler d1 export NAME --remote --output dump.sql, then portreeve import d1 dump.sql.",
			"Where that holds machines and secrets: escrow: {portalOrigin: https://…}; where it holds agents: agents: {}.")
	}
	site.object[len(site.object)-1].comment = strings.Join(lines, "\n")
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
