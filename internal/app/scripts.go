package app

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/actions"
)

// errNoEngine says that a configuration is only looked at.
var errNoEngine = errors.New("nothing runs scripts here")

// probeTime bounds what is found out about the machine at start.
const probeTime = 10 * time.Second

// scripts is the engine of all sites, made for the first configuration that has
// scripts: whoever has none starts no children.
func (k *kept) scripts(plain bool) *actions.Engine {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.engine == nil {
		k.engine = actions.New(actions.Options{Plain: plain, Refuse: k.own.is, Now: k.now, Log: k.log})
		go k.probe(k.engine)
	}
	return k.engine
}

// probe tells what this machine does not enforce on scripts.
func (k *kept) probe(e *actions.Engine) {
	ctx, cancel := context.WithTimeout(context.Background(), probeTime)
	defer cancel()
	lacks, err := e.Probe(ctx)
	switch {
	case err != nil:
		k.log.Error("actions cannot run here: what they stand before is refused", "error", err.Error())
	case len(lacks) > 0:
		k.log.Warn("actions: this machine does not enforce all of their bounds", "lacks", strings.Join(lacks, "; "))
	}
}
