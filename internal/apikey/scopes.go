package apikey

import (
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/policy"
)

// everything is the scope that stands for all but what has to be named.
const everything = "*"

// named are the resources that no "*" of a scope covers: a key that manages
// keys, users or secrets says so. platform is not among them because no key
// ever has it.
func named() []string { return []string{"apikeys", "users", "rbac", "secrets", "escrow", "audit"} }

const (
	maxScopes = 100
	scopeRule = `must be "*" or resource:action, such as "docs:read"`
)

// scopeProblem says what would be right where a text is no scope, "" for one.
func scopeProblem(s string) string {
	if s == everything {
		return ""
	}
	if _, err := policy.ParsePermission(s); err != nil {
		return scopeRule
	}
	if policy.CrossesTenants(s) {
		return "no key crosses tenants: permissions on platform are not to be had as scopes"
	}
	return ""
}

// parts splits a scope; "*" is "*:*". What is no scope has no parts.
func parts(s string) (resource, action string) {
	if s == everything {
		return "*", "*"
	}
	resource, action, _ = strings.Cut(s, ":")
	return resource, action
}

// meet is what two scopes both cover, "" for nothing.
func meet(a, b string) string {
	ar, aa := parts(a)
	br, ba := parts(b)
	resource, ok := narrower(ar, br)
	if !ok || ar != br && (ar == "*" || br == "*") && slices.Contains(named(), resource) {
		return ""
	}
	action, ok := narrower(aa, ba)
	if !ok {
		return ""
	}
	if resource == "*" && action == "*" {
		return everything
	}
	return resource + ":" + action
}

func narrower(a, b string) (string, bool) {
	switch {
	case a == b, b == "*":
		return a, a != ""
	case a == "*":
		return b, b != ""
	}
	return "", false
}

// within is what is left of a key's scopes under those of the key that made
// it: each scope as far as one of the parent's covers it.
func within(scopes, parent []string) []string {
	out := []string{}
	for _, a := range scopes {
		for _, b := range parent {
			if m := meet(a, b); m != "" && !slices.Contains(out, m) {
				out = append(out, m)
			}
		}
	}
	return out
}

// each is the list with each scope once, in its order. It is never nil.
func each(list []string) []string {
	out := make([]string, 0, len(list))
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
