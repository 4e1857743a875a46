package links

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/outbound"
	"github.com/portreeve/portreeve/internal/request"
)

// fetchTime is how long a file may take: Apple's and Google's crawlers give up
// sooner or later too.
const fetchTime = 15 * time.Second

// Fetch gets a path of the host that is checked, without following redirects.
type Fetch func(ctx context.Context, path string) (*outbound.Answer, error)

// Fetcher fetches from a host ("links.example.com", or with a port) over https.
func Fetcher(host string) (Fetch, error) {
	c, err := outbound.New(outbound.Options{BaseURL: "https://" + host, Timeout: fetchTime, Private: true})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", host, err)
	}
	return func(ctx context.Context, path string) (*outbound.Answer, error) {
		return c.Do(ctx, outbound.Request{Method: "GET", Path: path, Header: request.Header{{Name: "Accept", Value: "application/json, */*"}}})
	}, nil
}

// CheckHost fetches a host's files as Apple and Google would.
func CheckHost(ctx context.Context, host string, fetch Fetch) []*FileReport {
	apple := &FileReport{Vendor: "Apple", File: "https://" + host + applePaths[0]}
	google := &FileReport{Vendor: "Google", File: "https://" + host + androidPath}
	a, there := apple.fetched(ctx, fetch, applePaths[0])
	if there {
		apple.kind(a, Note)
		apple.Findings = append(apple.Findings, CheckApple("", a.Body).Findings...)
	} else if a != nil && a.Status == 404 {
		if old, err := fetch(ctx, applePaths[1]); err == nil && old.Status == 200 && CheckApple("", old.Body).OK() {
			apple.add(Note, "", "serve it at "+applePaths[0], "there is one at %s, where only iOS 12 and earlier look", applePaths[1])
		}
	}
	g, found := google.fetched(ctx, fetch, androidPath)
	if found {
		google.kind(g, Wrong)
		google.Findings = append(google.Findings, CheckAndroid("", g.Body).Findings...)
	}
	missing := func(a *outbound.Answer) bool { return a != nil && a.Status == 404 }
	switch {
	case missing(a) && missing(g):
		apple.add(Wrong, "", "publish one for each system that has the app", "the host has neither file: no app opens its links")
	case missing(a):
		apple.add(Note, "", "", "there is none: on iOS no app opens this host's links")
	case missing(g):
		google.add(Note, "", "", "there is none: on Android no app opens this host's links")
	}
	if there {
		apple.add(Note, "", "compare https://app-site-association.cdn-apple.com/a/v1/"+host,
			"devices ask Apple's servers, not this host: a change can take a day to get there, and a device looks when the app is installed and about once a week")
	}
	return []*FileReport{apple, google}
}

// fetched gets a file; ok is false where there is none to look at. A 404 is for
// the caller to judge.
func (r *FileReport) fetched(ctx context.Context, fetch Fetch, path string) (a *outbound.Answer, ok bool) {
	a, err := fetch(ctx, path)
	if err != nil {
		r.add(Wrong, "", unreachable(err), "the file cannot be fetched: %s", oneLine(err.Error()))
		return nil, false
	}
	switch {
	case a.Status == 200:
		return a, true
	case a.Status >= 300 && a.Status < 400:
		to := "elsewhere"
		if u, err := url.Parse(a.Header.Get("Location")); err == nil && u.Host != "" {
			to = "to " + shownValue(u.Host)
		}
		r.add(Wrong, "", "answer this path with the file itself, also where the rest of the host redirects", "the host redirects %s (%d), and neither Apple nor Google follows", to, a.Status)
	case a.Status == 404:
	case a.Status == 401 || a.Status == 403:
		r.add(Wrong, "", "let everybody fetch it; bot protection and country blocks keep the vendors' crawlers out too", "the host refuses it (%d)", a.Status)
	default:
		r.add(Wrong, "", "", "the host answers %d", a.Status)
	}
	return a, false
}

func unreachable(err error) string {
	var e *outbound.Error
	if !errors.As(err, &e) {
		return ""
	}
	switch {
	case e.Why == outbound.TooLarge:
		return "the file is far larger than any reader takes"
	case strings.Contains(err.Error(), "x509") || strings.Contains(err.Error(), "certificate"):
		return "get a certificate of a public authority for this name, and send the whole chain"
	case e.Why == outbound.Late:
		return "answer within seconds; the vendors' crawlers do not wait"
	}
	return "the host must answer on port 443 from the public internet"
}

// kind checks the media type. Google refuses another one; Apple asks for it.
func (r *FileReport) kind(a *outbound.Answer, l Level) {
	got := a.Header.Get("Content-Type")
	media, _, _ := strings.Cut(got, ";")
	if strings.EqualFold(strings.TrimSpace(media), "application/json") {
		return
	}
	if got == "" {
		r.add(l, "", "send Content-Type: application/json", "comes without a Content-Type; it must be application/json")
		return
	}
	r.add(l, "", "send Content-Type: application/json; files without an ending often get none", "comes as %s; it must be application/json", shownValue(got))
}

func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

// Kind tells association files apart by their content: "apple", "android", or ""
// for what is neither.
func Kind(raw []byte) string {
	text := strings.TrimSpace(strings.TrimPrefix(string(raw), "\ufeff"))
	if strings.HasPrefix(text, "[") {
		return "android"
	}
	var top map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &top) != nil {
		if strings.HasPrefix(text, "{") && strings.Contains(text, `"applinks"`) {
			return "apple" // with a mistake in it
		}
		return ""
	}
	for _, service := range services {
		if _, there := top[service]; there {
			return "apple"
		}
	}
	return ""
}

// Files are the association files of an environment; nil where nothing would be
// in one.
func (c *Config) Files(env string) (apple, android []byte) {
	return appleFile(c.IOS.of(env), c.WebCredentials == nil || *c.WebCredentials), androidFile(c.Android.of(env))
}
