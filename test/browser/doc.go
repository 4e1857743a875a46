// Package browser tests what people meet, in a real browser: a Chromium before a
// whole Portreeve before an application, with the certified provider of test/oidc
// to sign in at. What only a browser decides is decided here: which cookies it
// keeps and sends, what it says of where a request came from, which policy it
// holds a page to, and what an authenticator signs.
//
// PORTREEVE_SHOTS names a folder for pictures of every page; PORTREEVE_ROUNDS how
// often two tabs refresh at once.
package browser
