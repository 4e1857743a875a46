package insight

import (
	"time"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/links"
	"github.com/portreeve/portreeve/internal/proxy"
	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/sms"
)

// Node is what the operations about this node itself ask. A nil function has
// nothing to tell.
type Node struct {
	File func() File // the configuration in service
	// Keys are the master keys; a nil result: nothing is stored.
	Keys  func() *seal.Keys
	Store func() *Store // nil: nothing is stored
	// Upstreams are those in service, in the order of their labels.
	Upstreams func() []Upstream
	// Degraded says what does not work although requests are served.
	Degraded func() []string
	Links    func() []LinkSite
	Texts    func() []TextSite
	// SMS counts texts; a nil result: nobody does.
	SMS func() *sms.Service
}

// File is the configuration in service.
type File struct {
	LoadedAt    time.Time
	Generation  uint64
	Path        string
	Environment string
	Version     string
	// Text is YAML as config.Document.Redacted makes it: nothing here looks at it again.
	Text     string
	Warnings []string
}

// Store is the state of the store as this process sees it.
type Store struct {
	Engine string    // sqlite or postgres
	Fresh  bool      // its changes were read within store.maxStale
	Read   time.Time // when they were read last; zero: never
}

// Upstream is the state of one upstream. Its label is its name, or where it stands
// in the file.
type Upstream struct {
	Upstream string `json:"upstream"`
	proxy.GroupHealth
}

// LinkSite is a site that is an app's links.
type LinkSite struct {
	Site  string   `json:"site"`
	Hosts []string `json:"hosts"`
	links.Facts
}

// TextSite is a site that sends texts.
type TextSite struct {
	Site  string   `json:"site"`
	Hosts []string `json:"hosts"`
	sms.Facts
}

// nodeRoutes lists the operations. What they tell is no tenant's, so that they ask
// for a permission that no "*" covers:
//
//	GET /.portreeve/insight/configuration   platform:read
//	GET /.portreeve/insight/health          platform:read
//	GET /.portreeve/insight/links           platform:read
//	GET /.portreeve/insight/texts           platform:read
func (s *Service) nodeRoutes() []gateway.SurfaceRoute {
	return []gateway.SurfaceRoute{
		get("/configuration", "platform:read", "read the configuration in service", s.configuration),
		get("/health", "platform:read", "read the health of the node", s.health),
		get("/links", "platform:read", "list sites of links", s.links),
		get("/texts", "platform:read", "list sites that send texts", s.texts),
	}
}

// told is what a function has to tell; the zero value where there is none.
func told[T any](f func() T) (out T) {
	if f != nil {
		out = f()
	}
	return out
}

// full is a list that is [] in JSON, never null.
func full[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// sites calls f for every site that decides just now.
func (s *Service) sites(f func(*gateway.Site)) {
	if snap := told(s.d.Snapshot); snap != nil {
		snap.Sites(f)
	}
}

func (s *Service) now() time.Time {
	if s.d.Now != nil {
		return s.d.Now()
	}
	return time.Now()
}
