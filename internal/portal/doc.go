// Package portal is the pages that people run Portreeve by.
//
// The portal has no authority of its own. A page asks the API operations of its
// own site, in-process, as its reader (gateway.Call.Ask): what the API refuses,
// the page refuses, for the same reason and with the same trace. What a page
// shows is what a client with the reader's credential would be told.
//
// Pages are made on the server and work without scripts, but for what must be
// computed in the browser: the cryptography of escrow, whose modules are
// internal/escrow/web, and passkeys. A page holds no inline script or style.
//
// visit is one request for a page, form what it posts, problems what is said about
// that, once why a form counts once, frame what stands around every page; parts,
// times and svg are pieces of pages. pages.go lists all that there is. Each further
// file is one subject, or one of its pages: routes, handlers and, in templates, what
// they show.
package portal
