package app

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/login"
)

// edge is a login edge with its queues and counters, which go on over reloads as
// long as its settings stay.
type edge struct {
	name     string // "login of auth.example.com"
	settings any
	surface  *login.Surface
	stop     context.CancelFunc // nil until it runs
	done     chan struct{}
	retired  bool
}

// edgeWait is how long a stopping process waits for what edges still have to send.
const edgeWait = 6 * time.Second

// edge hands out the surface that equal settings got before, or a new one, which
// does not run until its generation is swapped in.
func (k *kept) edge(name string, settings any, fresh func() (*login.Surface, error)) (*login.Surface, error) {
	if s := k.running(name, settings); s != nil {
		return s, nil
	}
	s, err := fresh() // asks for keys of k; one configuration is built at a time
	if err == nil {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.edges = append(k.edges, &edge{name: name, settings: settings, surface: s})
	}
	return s, err
}

// running is the surface that equal settings got before; nil: there is none.
func (k *kept) running(name string, settings any) *login.Surface {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, e := range k.edges {
		if e.name == name && !e.retired && reflect.DeepEqual(e.settings, settings) {
			return e.surface
		}
	}
	return nil
}

// settleEdges starts those that the configuration uses, and ends the others when
// the last request that may have begun with them is over.
func (k *kept) settleEdges(used []*login.Surface) {
	k.edges = slices.DeleteFunc(k.edges, func(e *edge) bool {
		switch in := slices.Contains(used, e.surface); {
		case in && e.stop == nil:
			ctx, stop := context.WithCancel(context.Background())
			e.stop, e.done = stop, make(chan struct{})
			go func() { defer close(e.done); e.surface.Run(ctx) }()
		case !in && e.stop == nil:
			return true // it never ran
		case !in && !e.retired:
			e.retired = true
			time.AfterFunc(gateway.OperationTime, e.stop)
		case e.retired && ended(e.done):
			return true
		}
		return false
	})
}

func ended(done chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// closeEdges ends all, which takes as long as they have something to send, and is
// bounded.
func (k *kept) closeEdges() {
	late := time.After(edgeWait)
	for _, e := range k.edges {
		if e.stop != nil {
			e.stop()
		}
	}
	for _, e := range k.edges {
		if e.stop == nil {
			continue
		}
		select {
		case <-e.done:
		case <-late:
			return
		}
	}
}
