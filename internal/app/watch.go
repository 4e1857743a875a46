package app

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"
)

// quiet is how long nothing may change before a reload: an editor or a secret
// mount writes in several steps.
const quiet = 250 * time.Millisecond

// watcher reloads when the content of the configuration or of a file that it
// names changes, while it is switched on.
type watcher struct {
	app *App

	mu     sync.Mutex
	stop   context.CancelFunc // nil while it is off
	kicked chan struct{}      // a reload may have named other files
	rests  atomic.Int64       // times it has found nothing left to do
}

// watch starts watching if the configuration asks for it. stop ends it.
func (a *App) watch(ctx context.Context) (stop func(), err error) {
	a.reloading.Lock()
	defer a.reloading.Unlock()
	a.watcher.app = a
	if a.current.Load().File.Watch {
		err = a.watcher.on()
	}
	context.AfterFunc(ctx, a.watcher.off)
	return a.watcher.off, err
}

// set switches watching on or off, as a reload wants it.
func (w *watcher) set(wanted bool) {
	if !wanted {
		w.off()
		return
	}
	if err := w.on(); err != nil {
		w.app.log.Warn("the configuration is not watched", "error", err.Error())
	}
}

func (w *watcher) on() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.app == nil: // nothing is served yet
		return nil
	case w.stop != nil:
		select {
		case w.kicked <- struct{}{}:
		default:
		}
		return nil
	}
	n, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.stop = cancel
	w.kicked = make(chan struct{}, 1)
	go (&vigil{app: w.app, notify: n, kicked: w.kicked}).keep(ctx)
	return nil
}

func (w *watcher) off() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stop != nil {
		w.stop()
		w.stop = nil
	}
}

// vigil is one span of watching. One goroutine uses it.
type vigil struct {
	app    *App
	notify *fsnotify.Watcher
	kicked chan struct{}
	trail  map[string]bool // names whose events matter
}

// keep watches until ctx ends.
func (v *vigil) keep(ctx context.Context) {
	defer func() { _ = v.notify.Close() }()
	v.follow()
	timer := time.NewTimer(quiet) // something may have changed since it was loaded
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-v.notify.Events:
			if v.trail[e.Name] { // a log or a database may stand in the same folder
				timer.Reset(quiet)
			}
		case err := <-v.notify.Errors:
			v.app.log.Warn("watching the configuration", "error", err.Error())
			timer.Reset(quiet)
		case <-v.kicked:
			timer.Reset(quiet)
		case <-timer.C:
			if v.look() {
				timer.Reset(quiet)
				continue
			}
			v.app.watcher.rests.Add(1)
		}
	}
}

// look reloads if anything is not as it was loaded. again says that this may
// still be so: files changed meanwhile, or others are named now.
func (v *vigil) look() (again bool) {
	v.follow()
	if was := v.app.loaded(); maps.Equal(was, was.now()) {
		return false
	}
	_ = v.app.reloadBy("watch") // which reports it
	v.follow()
	is := v.app.loaded()
	return !maps.Equal(is, is.now())
}

// follow watches every folder on the way to the files, and no other.
func (v *vigil) follow() {
	folders, names := trail(v.app.loaded())
	for _, at := range v.notify.WatchList() {
		if !folders[at] {
			_ = v.notify.Remove(at)
		}
	}
	for at := range folders {
		_ = v.notify.Add(at) // one that is gone by now is reported by the load
	}
	v.trail = names
}
