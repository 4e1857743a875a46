package app

import (
	"strings"

	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/links"
)

// Association is what a site with links publishes about its apps.
type Association struct {
	Site           string
	Apple, Android []byte // nil: 404
}

// Associations checks a configuration and makes the association files of its
// sites, for the environment that it would be served in.
func Associations(s Source) (*Report, []Association, error) {
	l, err := Load(s)
	if err != nil {
		return nil, nil, err
	}
	b := build(l, Deps{Memory: identity.NewMemory(1)})
	r := report(b)
	if !r.OK {
		return r, nil, nil
	}
	var out []Association
	add := func(site string, c *links.Config) {
		if c != nil {
			apple, android := c.Files(b.Env)
			out = append(out, Association{site, apple, android})
		}
	}
	add(defaultSite, b.File.Links)
	for _, site := range b.File.Sites {
		add(strings.ToLower(strings.Join(site.Hosts, ", ")), site.Links)
	}
	return r, out, nil
}
