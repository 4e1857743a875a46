package docs

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/portreeve/portreeve/internal/identity"
)

// document is an OpenAPI 3.1 document, as far as it is used here.
type document struct {
	OpenAPI    string                          `json:"openapi"`
	Info       info                            `json:"info"`
	Servers    []server                        `json:"servers"`
	Tags       []tag                           `json:"tags,omitempty"`
	Paths      map[string]map[string]operation `json:"paths"`
	Components components                      `json:"components"`
}

type info struct {
	Title       string `json:"title"`
	Description string `json:"description"`
	Version     string `json:"version"`
}

type server struct {
	URL string `json:"url"`
}

type tag struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

type operation struct {
	Tags        []string              `json:"tags"`
	Summary     string                `json:"summary,omitempty"` // plain text
	Description string                `json:"description"`       // CommonMark
	OperationID string                `json:"operationId"`
	Parameters  []parameterObject     `json:"parameters,omitempty"`
	RequestBody *requestBody          `json:"requestBody,omitempty"`
	Responses   map[string]response   `json:"responses"`
	Security    []map[string][]string `json:"security"`
}

type parameterObject struct {
	Name        string `json:"name"`
	In          string `json:"in"`
	Description string `json:"description"`
	Required    bool   `json:"required,omitempty"`
	Schema      schema `json:"schema"`
}

type requestBody struct {
	Description string             `json:"description"`
	Content     map[string]content `json:"content"`
}

type response struct {
	name string // under which operations share it; "" for their own

	Ref         string               `json:"$ref,omitempty"`
	Description string               `json:"description,omitempty"`
	Headers     map[string]headerRef `json:"headers,omitempty"`
	Content     map[string]content   `json:"content,omitempty"`
}

type headerRef struct {
	Ref string `json:"$ref"`
}

type content struct {
	Schema schema `json:"schema"`
}

type components struct {
	Schemas         map[string]schema         `json:"schemas"`
	Responses       map[string]response       `json:"responses"`
	Headers         map[string]headerObject   `json:"headers"`
	SecuritySchemes map[string]securityScheme `json:"securitySchemes,omitempty"`
}

type headerObject struct {
	Description string `json:"description"`
	Schema      schema `json:"schema"`
}

type securityScheme struct {
	Type         string `json:"type"`
	Description  string `json:"description"`
	Scheme       string `json:"scheme,omitempty"`
	BearerFormat string `json:"bearerFormat,omitempty"`
	In           string `json:"in,omitempty"`
	Name         string `json:"name,omitempty"`
	OpenID       string `json:"openIdConnectUrl,omitempty"`
}

// about is what holds for every operation.
func (a *api) about() string {
	s := "Errors have one shape, `Error`. Every answer carries `X-Request-Id`. What answers GET answers HEAD, too. " +
		"A path parameter called rest takes the rest of the path, slashes included."
	for _, l := range a.limits {
		s += " All requests together: " + l + "."
	}
	return s
}

// openapi writes the document.
func (a *api) openapi() []byte {
	errs := &shared{names: map[string]string{}, all: map[string]response{}}
	d := document{
		OpenAPI: "3.1.1", Info: info{Title: a.title, Description: a.about()}, Servers: []server{{URL: "/"}},
		Paths: map[string]map[string]operation{},
		Components: components{Responses: errs.all, Schemas: map[string]schema{"Error": errorSchema()}, Headers: headers(),
			SecuritySchemes: a.securitySchemes()},
	}
	ids := map[string]bool{}
	for _, g := range a.groups() {
		d.Tags = append(d.Tags, tag{Name: g.name})
	}
	for _, r := range a.routes {
		if d.Paths[r.template] == nil {
			d.Paths[r.template] = map[string]operation{}
		}
		for _, m := range r.methods {
			d.Paths[r.template][strings.ToLower(m)] = a.operation(r, m, ids, errs)
		}
	}
	sum := sha256.Sum256(encode(d))
	d.Info.Version = hex.EncodeToString(sum[:6]) // what is described has no version of its own: the same routes, the same word
	return encode(d)
}

// encode writes JSON in which no character of the file could be read as markup.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil { // strings, numbers and maps of them always encode
		return []byte("{}\n")
	}
	return b.Bytes()
}

func (a *api) operation(r *route, method string, ids map[string]bool, errs *shared) operation {
	o := operation{Tags: r.tags, OperationID: slug(method+" "+r.template, "_", ids), Responses: errs.refer(a.responses(r)), Security: a.security(r)}
	o.Summary, _, _ = strings.Cut(r.description, "\n")
	var lines []string
	if strings.Contains(r.description, "\n") {
		lines = append(lines, markdown(r.description))
	}
	lines = append(lines, "Who may: "+markdown(r.whoMay())+".")
	for _, l := range r.limits {
		lines = append(lines, "Limit: "+l+".")
	}
	o.Description = strings.Join(lines, "\n\n")
	for _, p := range r.parameters {
		o.Parameters = append(o.Parameters, parameterObject{Name: p.name, In: p.in, Description: p.words, Required: p.required, Schema: text})
	}
	if r.body != nil && (takesBody(method) || r.body.kind != "" && method != "GET" && method != "HEAD" && method != "DELETE") {
		o.RequestBody = r.body.object()
	}
	return o
}

// whoMay is the requirements in one sentence.
func (r *route) whoMay() string {
	if r.public {
		return "anybody"
	}
	return strings.Join(r.who, "; ")
}

// slug names something in letters, digits and sep, each one once.
func slug(s, sep string, ids map[string]bool) string {
	id := strings.Join(strings.FieldsFunc(strings.ToLower(s), func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'a' || c > 'z')
	}), sep)
	for i, try := 2, id; ; i++ {
		if !ids[try] {
			ids[try] = true
			return try
		}
		try = id + sep + strconv.Itoa(i)
	}
}

func (b *body) object() *requestBody {
	kind, s := b.kind, schema{}
	if kind == "" {
		kind = "*/*"
	}
	if len(b.fields) > 0 {
		properties := schema{}
		for _, f := range b.fields {
			properties[f] = schema{}
		}
		s["properties"] = properties
	}
	words := "What the application takes."
	if b.kind != "" {
		words = "Read by the answer."
	}
	if b.max > 0 {
		words += " At most " + size(b.max) + "."
	}
	return &requestBody{Description: words, Content: map[string]content{kind: {Schema: s}}}
}

// security lists the credentials of which one is enough; {} stands for none.
func (a *api) security(r *route) []map[string][]string {
	out := []map[string][]string{}
	if r.public {
		out = append(out, map[string][]string{})
	}
	for _, p := range r.opens {
		s := a.scheme(p)
		out = append(out, map[string][]string{s.provider: {}})
		if s.place.Cookie != "" && s.place.Header != "" {
			out = append(out, map[string][]string{s.cookieID(): {}})
		}
	}
	return out
}

// cookieID has a dot, which no provider's name has.
func (s *scheme) cookieID() string { return s.provider + ".cookie" }

func (a *api) securitySchemes() map[string]securityScheme {
	out := map[string]securityScheme{}
	for _, s := range a.schemes {
		switch {
		case s.place.Header == "":
			out[s.provider] = securityScheme{Type: "apiKey", In: "cookie", Name: s.place.Cookie, Description: s.words()}
		case s.place.Cookie != "":
			out[s.provider] = securityScheme{Type: "apiKey", In: "header", Name: s.place.Header, Description: s.words()}
			out[s.cookieID()] = securityScheme{Type: "apiKey", In: "cookie", Name: s.place.Cookie, Description: s.words()}
		case s.place.Discovery != "":
			out[s.provider] = securityScheme{Type: "openIdConnect", OpenID: s.place.Discovery, Description: s.words()}
		case s.kind == identity.KindAPIKey:
			out[s.provider] = securityScheme{Type: "apiKey", In: "header", Name: s.place.Header, Description: s.words()}
		case s.kind == identity.KindMachine:
			out[s.provider] = securityScheme{Type: "http", Scheme: "bearer", Description: s.words()}
		default:
			out[s.provider] = securityScheme{Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: s.words()}
		}
	}
	return out
}

var markdownSpecial = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", `\<`, "&", `\&`, "#", `\#`, "|", `\|`, "~", `\~`, "!", `\!`)

// markdown writes plain text so that a reader of CommonMark sees just that.
func markdown(s string) string { return markdownSpecial.Replace(s) }
