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
	b.Snapshot.RefusalPage = func(f *fault.Error, requestID, decision string, site *gateway.Site, stood string) request.Reply {
		if !has[site] {
			return gateway.Flat(f, requestID, decision)
		}
		page := pages.Refusal{Status: f.Kind.Status(), Reason: f.Text(), Decision: decision, Request: requestID}
		page.Heading, page.Text = inWords(f.Kind)
		back := ""
		if stood != "" && f.Kind == fault.Unauthenticated { // the session ended while somebody filled it in
			page.Heading, page.Text = "You are not signed in any more", "Nothing was done with what you sent. Sign in, and send it again."
			back = "?return=" + url.QueryEscape(stood)
		}
		if !site.Default {
			page.Host = site.Name
		}
		if site.SignIn != "" {
			switch f.Kind {
			case fault.Unauthenticated:
				page.Again = &pages.Link{Label: "Sign in", Href: "/.portreeve/login/" + url.PathEscape(site.SignIn) + back}
			case fault.Forbidden:
				page.SignOut = "/.portreeve/logout"
			}
		}
		return with.Refusal(page)
	}
}

// inWords says to people what a kind of refusal means; what programs are told
// stands below it on the page.
func inWords(k fault.Kind) (heading, text string) {
	switch k {
	case fault.Unauthenticated:
		return "You are not signed in", "This page is for people who are."
	case fault.Forbidden:
		return "You cannot open this page", "Your account may not do this here."
	case fault.NotFound:
		return "There is no such page", "Nothing stands at this address. Is it written right?"
	case fault.TooManyRequests:
		return "Too many at once", "Please wait a moment, then try again."
	case fault.Internal:
		return "Something went wrong", "That is not your fault. Please try again in a moment."
	}
	if k.Status() >= 500 {
		return "Not right now", "Something that this page needs cannot be reached. Please try again in a moment."
	}
	return "That did not work", "Something about the address or the form is not right."
}
