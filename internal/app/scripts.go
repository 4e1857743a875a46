package app

import (
	"errors"

	"github.com/portreeve/portreeve/internal/actions"
)

// errNoEngine says that a configuration is only looked at.
var errNoEngine = errors.New("nothing runs scripts here")

// scripts is the engine of all sites, made for the first configuration that has
// scripts: whoever has none starts no children.
func (k *kept) scripts(plain bool) *actions.Engine {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.engine == nil {
		k.engine = actions.New(actions.Options{Plain: plain, Refuse: k.own.is, Now: k.now, Log: k.log})
	}
	return k.engine
}
