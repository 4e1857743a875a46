package agents

import (
	"slices"

	"github.com/portreeve/portreeve/internal/config"
)

// Config is the surface agents: {}, {collections: […]} or false.
type Config struct {
	// Collections are further names under which the same is served: /api/projects. agents is always one.
	Collections config.List[string] `json:"collections"`

	off bool
}

// Off reports whether the surface is switched off here.
func (c *Config) Off() bool { return c != nil && c.off }

// DecodeConfig takes {…} or false.
func (c *Config) DecodeConfig(v *config.Value) {
	if on, is := v.Bool(); is {
		if c.off = !on; on {
			v.Errorf("takes {} (on) or false (off)")
		}
		return
	}
	type fields Config
	v.Decode((*fields)(c))
}

// Shapes are what agents takes.
func (Config) Shapes() []any { return []any{false, Config{}} }

// Validate reports what the types cannot say; r stands at the key agents.
func (c *Config) Validate(r *config.Reporter) {
	for i, name := range c.Collections {
		at := "collections" + config.Index(i)
		switch {
		case !named(name):
			r.Errorf(at, "%q is no name of a collection: lower-case letters, digits and -, at most 63, and begin with a letter or digit", name)
		case slices.Contains(c.Collections[:i], name):
			r.Errorf(at, "%s stands twice", name)
		}
	}
	if len(c.Collections) > maxCollections {
		r.Errorf("collections", "more than %d", maxCollections)
	}
}

const maxCollections = 100

// names lists the collections, agents first, each once; what is no name is left
// out, since Validate has reported it.
func (c *Config) names() []string {
	out := []string{First}
	if c == nil {
		return out
	}
	for _, name := range c.Collections {
		if named(name) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}
