package portal

import (
	"slices"
	"strings"
)

// navGroup is a part of the menu.
type navGroup struct {
	Title string
	Items []navItem
}

// navItem is one page. Locked says that its reader may not open it, and why.
type navItem struct {
	Label, Href, Icon string
	Current           bool
	Lock              lock
}

// places are the pages of the menu, and the operation that each reads first: where
// that is missing on the site, so is the page; where the reader may not, it says so.
func places() []navGroup {
	at := func(label, href, icon, asks string) navItem {
		return navItem{Label: label, Href: href, Icon: icon, Lock: lock{Why: asks}}
	}
	return []navGroup{
		{"Fleet", []navItem{
			at("Overview", "/", "home", "/v1/machines"),
			at("Machines", "/machines", "machine", "/v1/machines"),
			at("Configurations", "/configs", "file", "/v1/configs"),
			at("Escrow key", "/escrow", "lock", "/v1/tenant/key?wrappings=false"),
		}},
		{"Access", []navItem{
			at("API keys", "/keys", "key", "/tenant/api-keys"),
			at("Machine tokens", "/machine-tokens", "chip", "/tenant/machine-tokens"),
			at("Users", "/users", "people", "/tenant/users"),
			at("Roles", "/roles", "role", "/rbac/roles"),
			at("Who can do what", "/why", "why", "/.portreeve/insight/access?user=x"),
			at("Agents", "/agents", "agent", "/api/agents"),
		}},
		{"Watch", []navItem{
			at("Refusals", "/refusals", "stop", "/.portreeve/insight/refusals"),
			at("Audit", "/audit", "list", "/.portreeve/insight/audit"),
			at("Links and texts", "/reach", "link", "/.portreeve/insight/links"),
			at("Configuration", "/configuration", "gear", "/.portreeve/insight/configuration"),
		}},
		{"You", []navItem{
			at("Second factors", "/factors", "shield", "/mfa"),
			at("Your sessions", "/sessions", "browser", "/.portreeve/sessions"),
		}},
	}
}

// nav is the menu as the reader of a page sees it.
func (v *visit) nav() []navGroup {
	groups := places()
	here := v.path()
	out := groups[:0]
	for _, g := range groups {
		g.Items = slices.DeleteFunc(g.Items, func(i navItem) bool { return v.may("GET", i.Lock.Why).Missing })
		for n := range g.Items {
			i := &g.Items[n]
			i.Lock = v.may("GET", i.Lock.Why)
			i.Current = here == i.Href || i.Href != "/" && strings.HasPrefix(here, i.Href+"/")
		}
		if len(g.Items) > 0 {
			out = append(out, g)
		}
	}
	return out
}
