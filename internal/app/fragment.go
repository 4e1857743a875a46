package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/keyset"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/secret"
)

// CheckFragment validates one route object, or {"data": …} of one, as the older
// backend's documentation prints them. What the rest of a file would hold is
// taken as given: providers, and RBAC with its built-in roles.
func CheckFragment(s Source) (*Report, error) {
	src, err := os.ReadFile(s.Path)
	if err != nil {
		return nil, fmt.Errorf("the fragment cannot be read: %w", err)
	}
	l := &Loaded{Path: s.Path, Dir: filepath.Dir(s.Path), Env: "prod", Written: "prod", File: &File{fragment: true}}
	var route gateway.RouteConfig
	l.Doc = config.Decode(src, &route, config.Options{Name: filepath.Base(s.Path), Env: s.Getenv, Dir: l.Dir})
	if !l.Doc.Has("path") && !l.Doc.Has("method") && (l.Doc.Has("data") || l.Doc.Has("response")) {
		l.Doc.Forgive("path")
		l.Doc.Forgive("method")
		route.Path, route.Method = "/fragment", config.List[string]{"get"}
	}
	l.File.Routes = []gateway.RouteConfig{route}
	l.File.JWT = config.List[identity.JWTConfig]{{Secret: secret.New(strings.Repeat("given ", 8))}}
	l.File.Firebase = &identity.FirebaseConfig{ProjectID: "given-project"}
	l.File.RBAC = &policy.RBACConfig{}
	l.Doc.Finish(true)
	// The rest of a file has keys too, but surfaces are no part of this route.
	l.File.APIKey = &APIKeyConfig{}
	l.File.MasterKey = secret.New(seal.NewKey())
	return report(build(l, Deps{Memory: identity.NewMemory(1)})), nil
}

// CheckOnline is Check, and fetches the issuers' keys: one that cannot be
// reached is a problem.
func CheckOnline(s Source) (*Report, error) {
	l, err := Load(s)
	if err != nil {
		return nil, err
	}
	b := build(l, Deps{Memory: identity.NewMemory(1)})
	if b.Doc.Failed() {
		return report(b), nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for _, set := range b.KeySets {
		fetch(ctx, b, set)
	}
	return report(b), nil
}

func fetch(ctx context.Context, b *Built, set *keyset.Set) {
	if _, ready := set.Keys(); !ready {
		_ = set.Refetch(ctx) // Health tells
	}
	if h := set.Health(); !h.Ready {
		b.Doc.Report("").Errorf("", "the keys of %s cannot be had: %s", h.Name, h.Err)
	}
}
