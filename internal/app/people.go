package app

import (
	"context"
	"net/url"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/pages"
	"github.com/portreeve/portreeve/internal/request"
)

// onlyPages are the pages that people meet. Their templates are part of the
// binary, which a test holds: were one broken, programs are served all the same.
func onlyPages() *pages.Pages {
	p, err := pages.New()
	if err != nil {
		return nil
	}
	return p
}

// styled are the routes of every site that has pages.
func styled(p *pages.Pages) []gateway.SurfaceRoute {
	return []gateway.SurfaceRoute{{Method: "GET", Path: pages.StylePath, Anonymous: true, Op: gateway.Operation{Surface: "pages", Name: "the stylesheet", Unlisted: true,
		Run: func(context.Context, *gateway.Call) (request.Reply, error) { return p.Style(), nil }}}}
}

// refusalPage tells a browser why it gets no further: with a page on the sites
// that have pages, on others as it tells programs.
func (b *builder) refusalPage() {
	if b.deps.Stored == nil || b.deps.Stored.Pages == nil {
		return
	}
	has, with := map[*gateway.Site]bool{}, b.deps.Stored.Pages
	b.Snapshot.Sites(func(s *gateway.Site) {
		for _, r := range s.Table.Sorted() {
			has[s] = has[s] || r.Pattern.Text == pages.StylePath
		}
	})
	b.Snapshot.RefusalPage = func(f *fault.Error, requestID, decision string, site *gateway.Site) request.Reply {
		if !has[site] {
			return gateway.Flat(f, requestID, decision)
		}
		page := pages.Refusal{Status: f.Kind.Status(), Heading: f.Kind.Label(), Text: f.Text(), Decision: decision, Request: requestID}
		if !site.Default {
			page.Host = site.Name
		}
		if site.SignIn != "" {
			switch f.Kind {
			case fault.Unauthenticated:
				page.Again = &pages.Link{Label: "Sign in", Href: "/.portreeve/login/" + url.PathEscape(site.SignIn)}
			case fault.Forbidden:
				page.SignOut = "/.portreeve/logout"
			}
		}
		return with.Refusal(page)
	}
}
