// Package template is the {{source.field}} of routes, answers, headers,
// redirects and requirements: compiled once at load, evaluated in one pass.
//
// It owns the syntax, the list of sources and the three ways to write a value
// out: as JSON, as text, and as a part of a URL that it cannot leave. It does
// not know where the values come from: whoever evaluates brings an Env.
//
// What came from outside the file (an environment variable, a secret file)
// arrives as a literal Piece and is never scanned; what a template yields is
// never scanned either. So no value can bring in a template.
//
// Syntax, blanks inside the braces allowed:
//
//	{{auth.sub}}  {{auth}}  {{auth.claims.a.b}}  {{auth.claims["https://x/y"]}}
//	{{params.id}}  {{query.q}}  {{headers.X-Thing}}  {{body.a.b[0]}}
//	{{tenant.id}}  {{request.ip}}  {{now}}  {{secret:KEY}} or {{secret.KEY}}
//
// A question mark before the closing braces makes a missing value absent
// instead of null. {{{{ stands for two braces.
package template
