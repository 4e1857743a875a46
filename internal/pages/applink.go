package pages

import (
	"html/template"

	"github.com/portreeve/portreeve/internal/request"
)

// AppLink is what a phone shows for a link that opened no app.
type AppLink struct {
	Host, App string // App: "the app", or its name
	// Open is the link into the app. Whoever makes the page answers for its scheme,
	// which is one that a page would otherwise not lead to.
	Open string
	// Store is where the app comes from; "" where that is not known.
	Store, StoreName string
	Script           string // opens the app, then the store
	// StoreID is the app's number in the App Store and Link this page's address:
	// Safari shows a banner of its own, which knows whether the app is there.
	StoreID, Link string
}

// AppLink makes the page. All of it works without the script.
func (p *Pages) AppLink(in AppLink) request.Reply {
	f := p.frame("Open "+in.App, in.Host)
	f.Script = in.Script
	return p.page(200, p.appLink, struct {
		frame
		AppLink
		Host, Script string
		Open         template.URL
	}{f, in, in.Host, in.Script, template.URL(in.Open)}) //nolint:gosec // see AppLink.Open
}

// AppDesktop is what a computer shows for a link into an app.
type AppDesktop struct {
	Host, App, Link string
	Code            *Code
	// Open is the link into the app, for tablets that say they are computers.
	Open   string
	Stores []Link
}

// Code is a QR code: how many modules it is wide, and its dark ones as an SVG
// path.
type Code struct {
	Size int
	Dark string
}

// AppDesktop makes the page.
func (p *Pages) AppDesktop(in AppDesktop) request.Reply {
	return p.page(200, p.appDesktop, struct {
		frame
		AppDesktop
		Host string
		Open template.URL
	}{p.frame("Open "+in.App, in.Host), in, in.Host, template.URL(in.Open)}) //nolint:gosec // see AppLink.Open
}
