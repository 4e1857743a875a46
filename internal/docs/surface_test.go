package docs

import (
	"context"
	"errors"
	"testing"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	rules "github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
)

type noKeys struct{}

func (noKeys) Parse(string) (string, error) { return "", errors.New("no key") }
func (noKeys) Verify(context.Context, string) (*principal.Principal, error) {
	return nil, errors.New("no key")
}

// The operations of a surface stand in the reference like routes of the file.
func TestASurfaceInTheReference(t *testing.T) {
	t.Parallel()
	doc := config.Decode([]byte("{}"), &struct{}{}, config.Options{Name: "p.yaml"})
	root := doc.Report("")
	who, _ := identity.NewSite([]*identity.Provider{identity.NewAPIKey("X-Token", noKeys{}), identity.NewMachine(noKeys{})}, identity.SiteOptions{})
	site := gateway.BuildSite(gateway.SiteInput{Name: "default", Default: true, Identity: who, Book: rules.NewBook(nil, nil), At: root,
		Inherited: func(string) *config.Reporter { return root }, Surfaces: []gateway.SurfaceRoute{
			{Method: "POST", Path: "/things/:id", Require: rules.Requirements{RequiredPermissions: config.List[string]{"things:write"}},
				Op: gateway.Operation{Surface: "things", Name: "Make a thing", MaxBody: 100}}}})
	a := describe(site)
	var found *route
	for _, r := range a.routes {
		if r.path == "/things/:id" {
			found = r
		}
	}
	if found == nil || found.description != "Make a thing" || len(found.tags) != 1 || found.tags[0] != "things" || found.public ||
		found.body == nil || found.body.max != 100 || found.answer.status != 200 {
		t.Fatalf("%+v", found)
	}
	schemes := a.securitySchemes()
	if s := schemes["apiKey"]; s.Type != "apiKey" || s.In != "header" || s.Name != "X-Token" {
		t.Errorf("%+v", s)
	}
	if s := schemes["machine"]; s.Type != "http" || s.Scheme != "bearer" || s.BearerFormat != "" {
		t.Errorf("%+v", s)
	}
}
