package links

import (
	"net/url"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/request"
)

// maxReferrer bounds what Google Play is asked to keep for the app.
const maxReferrer = 1000

// campaign are the parameters of a link that Google Play hands on as they are.
var campaign = []string{"utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"}

// storeURL is a fallback with what its store hands on to an app that is installed
// by it. Only the query of the URL changes.
//
// Google Play keeps referrer and tells it to the app by the Install Referrer API
// (developer.android.com/google/play/installreferrer): the campaign, and the link
// that was followed, so that the app opens what was meant. The App Store keeps a
// campaign's name, ct, beside the provider's token pt, for statistics alone
// (developer.apple.com/help/app-store-connect-analytics/acquisition/campaign-links);
// pt is the file's, never the link's. What the file says itself is left as it is.
// Other hosts get nothing.
func storeURL(fallback *url.URL, link string, query func(string) string) string {
	if fallback == nil {
		return ""
	}
	have := fallback.Query()
	switch host := strings.ToLower(fallback.Hostname()); {
	case host == "play.google.com" && !have.Has("referrer"):
		if r := referrer(link, query); r != "" {
			return withQuery(fallback, "referrer", r)
		}
	case (host == "apps.apple.com" || host == "itunes.apple.com") && have.Has("pt") && !have.Has("ct"):
		name := query("ct")
		if name == "" {
			name = query("utm_campaign")
		}
		if campaignName(name) {
			return withQuery(fallback, "ct", name)
		}
	}
	return fallback.String()
}

// referrer is a query of its own: deep_link, and the campaign's parameters. What
// does not fit is left out, the link first, since a part of it is of no use.
func referrer(link string, query func(string) string) string {
	var pairs []string
	size := 0
	add := func(name, value string) {
		pair := name + "=" + request.EscapeQuery(value)
		if value != "" && size+len(pair) < maxReferrer {
			pairs, size = append(pairs, pair), size+len(pair)+1
		}
	}
	for _, name := range campaign {
		add(name, query(name))
	}
	add("deep_link", link)
	return strings.Join(pairs, "&")
}

// campaignName reports whether Apple takes a text as a campaign's name: 30
// letters, digits, blanks and some punctuation.
func campaignName(s string) bool {
	return s != "" && len(s) <= 30 && strings.TrimSpace(s) == s && !strings.ContainsFunc(s, func(r rune) bool {
		return r >= 0x7f || !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || slices.Contains([]rune(" []/\\-~+=<>:;,._'\"*&$%#@?!|{}()"), r))
	})
}

func withQuery(u *url.URL, name, value string) string {
	out := *u
	if out.RawQuery != "" {
		out.RawQuery += "&"
	}
	out.RawQuery += name + "=" + request.EscapeQuery(value)
	return out.String()
}

// appStoreID is the number of an app in its store URL (…/id123456789); "" where it
// is no URL of the App Store.
func appStoreID(u *url.URL) string {
	if u == nil || !slices.Contains([]string{"apps.apple.com", "itunes.apple.com"}, strings.ToLower(u.Hostname())) {
		return ""
	}
	last := u.Path[strings.LastIndexByte(u.Path, '/')+1:]
	id, ok := strings.CutPrefix(last, "id")
	if !ok || id == "" || len(id) > 20 || strings.Trim(id, "0123456789") != "" {
		return ""
	}
	return id
}
