package docs

import (
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/identity"
)

// words says what a provider's credential is.
func (s *scheme) words() string {
	what := map[string]string{
		identity.KindAccess:   "A Cloudflare Access token. A browser that has passed Access sends it by itself.",
		identity.KindFirebase: "A Firebase ID token.",
		identity.KindOIDC:     "An access token of this OpenID Connect issuer.",
		identity.KindJWT:      "A signed JSON Web Token.",
		identity.KindAPIKey:   "An API key. It may also come after \"Authorization: Bearer\".",
		identity.KindMachine:  "A machine token.",
		identity.KindSession:  "The session of a browser that has signed in here.",
	}[s.kind]
	if what == "" {
		what = "A credential of " + s.provider + "."
	}
	return what
}

// header is the field that carries the credential, with the token left to the
// shell.
func (s *scheme) header() string {
	if s.place.Header == "" {
		return "Cookie: " + s.place.Cookie + "=$TOKEN"
	}
	if s.place.Cookie != "" || s.kind == identity.KindAPIKey {
		return s.place.Header + ": $TOKEN"
	}
	return s.place.Header + ": Bearer $TOKEN"
}

func (s *scheme) view() schemeView {
	return schemeView{Name: s.provider, Words: s.words(), Header: s.header(), Discovery: s.place.Discovery}
}

func (a *api) view(r *route, origin string, ids map[string]bool) routeView {
	v := routeView{
		ID: slug(strings.Join(r.methods, " ")+" "+r.path, "-", ids), Methods: r.methods, Path: parts(r.path), Description: r.description,
		Public: r.public, Who: r.asks(), Optional: r.public && len(r.opens) > 0, Answer: r.answer.words, Kind: r.answer.kind, Status: r.answer.status,
		Sketch: r.answer.sketch, Limits: r.limits, Curl: a.curl(r, origin),
	}
	if r.any {
		v.ID, v.Methods = slug("any "+r.path, "-", ids), []string{"ANY"}
	}
	if !strings.Contains(v.Sketch, "\n") { // "text" says no more than the media type
		v.Sketch = ""
	}
	for _, s := range r.segments { // the file's own names: the document's may be another route's
		switch s.Param {
		case "":
		case "*":
			v.Parameters = append(v.Parameters, parameterView{Name: "*", In: "path", Words: restWords, Required: true})
		default:
			v.Parameters = append(v.Parameters, parameterView{Name: s.Param, In: "path", Words: segmentWords, Required: true})
		}
	}
	for _, p := range r.parameters {
		if p.in != "path" {
			v.Parameters = append(v.Parameters, parameterView{Name: p.name, In: p.in, Words: p.words, Required: p.required})
		}
	}
	v.Body = r.bodyWords()
	for _, f := range r.faults {
		v.Faults = append(v.Faults, faultView{Status: f.kind.Status(), Label: f.kind.Label(), When: f.when})
	}
	return v
}

// asks are the requirements, with the providers that count named in the first.
func (r *route) asks() []string {
	out := slices.Clone(r.who)
	for i, s := range out {
		if s == signedIn && len(r.opens) > 0 {
			out[i] += " by " + oneOf(r.opens)
		}
	}
	return out
}

func oneOf(names []string) string {
	if n := len(names) - 1; n > 0 {
		return strings.Join(names[:n], ", ") + " or " + names[n]
	}
	return names[0]
}

func (r *route) bodyWords() string {
	if r.body == nil {
		return ""
	}
	words := "whatever the application takes"
	if r.body.kind != "" {
		words = "JSON"
		if len(r.body.fields) > 0 {
			words += " with " + strings.Join(r.body.fields, ", ")
		}
	}
	if r.body.max > 0 {
		words += ", at most " + size(r.body.max)
	}
	return words
}

// parts cuts a path where its parameters stand.
func parts(path string) (out []pathPart) {
	plain := ""
	for i, s := range strings.Split(path, "/") {
		if i > 0 {
			plain += "/"
		}
		if s == "*" || strings.HasPrefix(s, ":") {
			out = append(out, pathPart{Text: plain}, pathPart{Text: s, Param: true})
			plain = ""
			continue
		}
		plain += s
	}
	if plain != "" {
		out = append(out, pathPart{Text: plain})
	}
	return out
}

// curl is a command line for the route. A parameter stands in it as the path
// writes it: /docs/:id.
func (a *api) curl(r *route, origin string) string {
	method := r.methods[0]
	lines := []string{"curl"}
	switch {
	case method == "HEAD":
		lines[0] += " -I"
	case r.answer.moved || method == "OPTIONS":
		lines[0] += " -i"
	}
	if method != "GET" && method != "HEAD" {
		lines[0] += " -X " + method
	}
	if s := a.byHand(r); s != nil {
		lines = append(lines, `-H "`+s.header()+`"`)
	}
	for _, p := range r.parameters {
		if p.in == "header" {
			lines = append(lines, "-H "+quote(p.name+": …"))
		}
	}
	if r.body != nil && (takesBody(method) || r.body.kind != "") {
		lines = append(lines, "--data-binary @body")
	}
	url := origin + exampleText(r)
	if needsQuotes(exampleText(r)) {
		url = quote(url)
	}
	if lines = append(lines, url); len(lines) == 2 {
		return lines[0] + " " + url
	}
	return strings.Join(lines, " \\\n  ")
}

// byHand is the credential of the example: one that a person sends rather than
// a browser, where there is a choice. nil: none is needed.
func (a *api) byHand(r *route) *scheme {
	if r.public || len(r.opens) == 0 {
		return nil
	}
	for _, p := range r.opens {
		if s := a.scheme(p); s.place.Cookie == "" {
			return s
		}
	}
	return a.scheme(r.opens[0])
}

// exampleText is the route's path and query, as curl takes them.
func exampleText(r *route) string {
	var text string
	for _, s := range r.segments { // the route's own names: the document's may be another route's
		switch {
		case s.Param == "*":
			text += "/:rest"
		case s.Param != "":
			text += "/:" + s.Param
		default:
			text += "/" + s.Literal
		}
	}
	sep := "?"
	for _, p := range r.parameters {
		if p.in == "query" {
			text, sep = text+sep+escapeQuery(p.name)+"=…", "&"
		}
	}
	return text
}

func escapeQuery(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c == '-' || c == '_' || c == '.' || c == '~' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' {
			b.WriteByte(c)
		} else {
			const hex = "0123456789ABCDEF"
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

// needsQuotes reports whether a shell would read more into a text than it says.
func needsQuotes(s string) bool {
	return strings.ContainsFunc(s, func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && !strings.ContainsRune("/:._-%", c)
	})
}

// quote is a text as one word of a shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
