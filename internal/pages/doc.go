// Package pages makes the few pages that people meet: the choice of how to sign
// in, a refusal with its decision id, the prompt for a second factor, and the
// word that they are signed out.
//
// It owns one stylesheet, whose tokens (type scale, spacing, colours, light and
// dark) other pages build on, and the headers that every page goes out with. It
// must not know sessions, factors or decisions: it is given words and links.
//
// Pages are server-rendered by html/template, need no script to be read, load
// nothing from elsewhere (Content-Security-Policy without exceptions) and are
// never cached. The stylesheet is named by its digest and cached for good.
package pages
