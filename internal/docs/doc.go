// Package docs is the API reference of a site: an OpenAPI 3.1 document for
// programs and one page for people, both made once, when a configuration is
// loaded, from the same description of the site's routes.
//
// It says what a caller needs to know and no more: never an upstream's address,
// a redirect's target, a value that came from outside, or the people, addresses
// and texts that allow, deny, tenant and when name. Whatever the file calls
// things is plain text in both: the page runs no script and its policy lets
// none run, the document escapes what Markdown would read as markup.
//
// With it goes Portreeve's own documentation (internal/manual), at /docs/: the same
// for every site, for whom the reference is.
//
// The flow: describe reads a gateway.Site into an api; openapi and page write
// it down; Pages hands both to the gateway, which claims their paths and serves
// them. Sources: OpenAPI 3.1.1, JSON Schema 2020-12, RFC 9110 section 13 (If-None-Match).
package docs
