package gateway

import (
	"slices"

	"github.com/portreeve/portreeve/internal/request"
)

// Pages are answers of Portreeve's own that are made once, from the finished
// site: the API reference. Their paths are claimed before they are made, so that
// they can describe themselves.
type Pages struct {
	Paths []string
	// Unlisted are further ones, which lists of routes leave out.
	Unlisted []string
	// Make returns the answers by path.
	Make func(*Site) map[string]func(*Exchange) request.Reply
}

// claimPages adds the routes of the pages. They are for whoever the site is for:
// allow and deny of the site hold for them, and where it has none they are
// public.
func (b *builder) claimPages() {
	if b.Pages == nil {
		return
	}
	for i, path := range slices.Concat(b.Pages.Paths, b.Pages.Unlisted) {
		r := b.builtin(path, nil)
		if r == nil {
			continue
		}
		r.Answer = &Builtin{Name: path, Unlisted: i >= len(b.Pages.Paths)}
		if !b.site.Allow.Any() {
			continue
		}
		r.OpenToAll = false
		if r.Identify = !b.NoAuth; r.Identify {
			r.Accept = b.Identity.Any()
		}
	}
}

// makePages fills the claimed routes in.
func (b *builder) makePages() {
	if b.Pages == nil || b.site.Empty {
		return
	}
	replies := b.Pages.Make(b.site)
	for _, r := range b.site.Table.routes() {
		if own, ok := r.Answer.(*Builtin); ok && own.Reply == nil {
			own.Reply = replies[own.Name]
		}
	}
}
