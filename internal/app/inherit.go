package app

import (
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/policy"
)

// inherited is a site's keys after inheritance, and where each came from.
type inherited struct {
	SiteKeys
	siteRBAC *policy.SiteRBACConfig
	at       *config.Reporter // the site itself
	top      *config.Reporter // the top level
	own      map[string]bool  // keys that the site writes itself
	implied  bool             // surfaces stand here without their keys
}

// place is the reporter for the level at which an inherited key stands.
func (k *inherited) place(key string) *config.Reporter {
	if k.own[key] {
		return k.at
	}
	return k.top
}

// inherit merges a site's keys over the top level's, key by key.
func inherit(top SiteKeys, site SiteConfig, at, root *config.Reporter) *inherited {
	k := site.SiteKeys
	out := &inherited{at: at, top: root, own: map[string]bool{}}
	for _, key := range []string{"access", "firebase", "jwt", "oidc", "apiKey", "machine", "providers", "auth", "identityHeaders", "rbac", "rateLimit",
		"cors", "allow", "deny", "requireMfa", "signIn", "session", "strictness", "encodedSlash", "emptySegments", "semicolon", "dotSegments", "pathCase", "docs"} {
		out.own[key] = at.Has(key)
	}
	out.Access = mergeAccess(top.Access, k.Access, at)
	out.Firebase = either(k.Firebase, top.Firebase)
	out.JWT, out.OIDC = list(k.JWT, top.JWT), list(k.OIDC, top.OIDC)
	out.APIKey, out.Machine = either(k.APIKey, top.APIKey), either(k.Machine, top.Machine)
	out.Providers, out.IdentityHeaders = list(k.Providers, top.Providers), list(k.IdentityHeaders, top.IdentityHeaders)
	out.RBAC, out.RateLimit, out.CORS = top.RBAC, mergeLimits(top.RateLimit, k.RateLimit), either(k.CORS, top.CORS)
	out.Allow, out.Deny = either(k.Allow, top.Allow), either(k.Deny, top.Deny)
	for _, s := range []struct {
		to        *string
		own, from string
	}{
		{&out.Auth, k.Auth, top.Auth}, {&out.Strictness, k.Strictness, top.Strictness},
		{&out.EncodedSlash, k.EncodedSlash, top.EncodedSlash}, {&out.EmptySegments, k.EmptySegments, top.EmptySegments},
		{&out.Semicolon, k.Semicolon, top.Semicolon}, {&out.DotSegments, k.DotSegments, top.DotSegments},
		{&out.PathCase, k.PathCase, top.PathCase}, {&out.SignIn, k.SignIn, top.SignIn},
	} {
		if *s.to = s.own; s.own == "" {
			*s.to = s.from
		}
	}
	if k.RBAC != nil {
		out.siteRBAC = &policy.SiteRBACConfig{Enabled: k.RBAC.Enabled}
		if at.Has("rbac.defaultRole") {
			out.siteRBAC.DefaultRole = &k.RBAC.DefaultRole
		}
		if len(k.RBAC.Roles) > 0 {
			at.Errorf("rbac.roles", "roles stand at the top level; a site sets rbac.enabled and rbac.defaultRole")
		}
	}
	out.Session = either(k.Session, top.Session)
	out.Docs, out.RequireMFA = either(k.Docs, top.Docs), list(k.RequireMFA, top.RequireMFA)
	out.Tenant, out.TenantAPI, out.MFA, out.Agents, out.Escrow, out.Upstream, out.Routes = k.Tenant, k.TenantAPI, k.MFA, k.Agents, k.Escrow, k.Upstream, k.Routes
	out.Portal = k.Portal
	out.Login, out.Backoffice, out.Links, out.SMS = k.Login, k.Backoffice, k.Links, k.SMS
	out.furnish()
	return out
}

func either[T any](own, from *T) *T {
	if own != nil {
		return own
	}
	return from
}

func list[T any](own, from config.List[T]) config.List[T] {
	if own != nil {
		return own
	}
	return from
}

// mergeLimits keeps the top level's default and its switch for a site that
// writes neither: one that adds a limit for a path must not lose the one for
// everything by it.
func mergeLimits(top, site *limit.Config) *limit.Config {
	if site == nil || top == nil {
		return either(site, top)
	}
	out := *site
	out.Default, out.Enabled = either(site.Default, top.Default), either(site.Enabled, top.Enabled)
	return &out
}

// mergeAccess lets a site name its audience and take the team from the top. What
// the site does not write is the top level's: a variable that would fill the gap
// has filled the top level's already, or was overruled there.
func mergeAccess(top, site *identity.AccessConfig, at *config.Reporter) *identity.AccessConfig {
	if site == nil || top == nil {
		return either(site, top)
	}
	out := *site
	if !at.Has("access.teamDomain") {
		out.TeamDomain = top.TeamDomain
	}
	if !at.Has("access.certsURL") {
		out.CertsURL = top.CertsURL
	}
	if !at.Has("access.audience") {
		out.Audience = top.Audience
	}
	if out.TrustRoles == nil {
		out.TrustRoles = top.TrustRoles
	}
	if out.Leeway == nil {
		out.Leeway = top.Leeway
	}
	if out.MaxTokenAge == nil {
		out.MaxTokenAge = top.MaxTokenAge
	}
	return &out
}
