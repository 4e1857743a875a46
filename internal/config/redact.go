package config

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Hidden stands in a redacted text for what it does not show.
const Hidden = "***"

const (
	maxShown     = 3 << 20 // bytes of a redacted text: ten thousand routes and more
	maxShownNode = 150_000 // values of one: aliases multiply
	// shortSecret is from how many bytes on a secret is looked for inside other
	// texts too: shorter ones stand in words by accident.
	shortSecret = 6
)

// discretion is how much of a value a redacted text shows.
type discretion uint8

const (
	openly    discretion = iota
	sensitive            // what may hold a secret: templates and values from outside as they are written, else nothing
	secretly             // a secret: where it comes from, else nothing
)

// hide notes how much of a value may be shown.
func (d *Document) hide(n *node, how discretion) {
	if d.hidden == nil {
		d.hidden = map[*node]discretion{}
	}
	d.hidden[n] = max(d.hidden[n], how)
}

// Redacted is the file as YAML without its comments and secrets, cut after 3 MiB.
// Values from outside stand there as the file names them, never as they are. What
// else is not shown: secrets by their type, and wherever else one of them stands;
// literal texts under keys tagged `sensitive` and under names of free mappings that
// say password, token and the like; passwords in URLs, private keys, credentials of
// the forms Bearer and Basic, and what a condition compares such a name with.
func (d *Document) Redacted() string { return d.redacted(maxShown, maxShownNode) }

// redacted is cut after so many bytes, and after so many values.
func (d *Document) redacted(most, values int) string {
	if d.root == nil {
		return ""
	}
	r := &redactor{doc: d, left: values, seen: map[string]string{}}
	raw, err := yaml.Marshal(r.node(d.root, openly))
	if err != nil {
		return "" // no text at all rather than one that nobody looked at
	}
	if len(raw) > most {
		raw = append(raw[:strings.LastIndexByte(string(raw[:most]), '\n')+1], "# …\n"...)
	}
	return string(raw)
}

type redactor struct {
	doc  *Document
	left int
	seen map[string]string // short texts that were looked at: ten thousand routes have the same keys
}

// node is a value as it is shown; how is what the values around it ask for.
func (r *redactor) node(n *node, how discretion) *yaml.Node {
	if r.left--; r.left < 0 {
		return shownText("…")
	}
	how = max(how, r.doc.hidden[n])
	switch n.kind {
	case Map:
		out := &yaml.Node{Kind: yaml.MappingNode}
		for _, m := range n.members {
			out.Content = append(out.Content, shownText(r.key(m.name)), r.node(m.value, how))
		}
		return out
	case Sequence:
		out := &yaml.Node{Kind: yaml.SequenceNode}
		for _, item := range n.items {
			out.Content = append(out.Content, r.node(item, how))
		}
		return out
	case Null:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: "null"}
	}
	shown := r.text(n.text, how)
	if n.plain && shown == n.text && (n.isBool() || n.isNumber()) {
		return &yaml.Node{Kind: yaml.ScalarNode, Value: shown}
	}
	return shownText(shown)
}

func shownText(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }

// key is the name of a key. One that happens to be a short secret is not told from
// the words of the file.
func (r *redactor) key(name string) string {
	if len(name) < shortSecret {
		return name
	}
	return r.veiled(name)
}

// text is a scalar's text as far as it may be shown.
func (r *redactor) text(s string, how discretion) string {
	switch {
	case s == "":
		return s
	case how == secretly && !bare(s, sources), how == sensitive && !bare(s, templates):
		return Hidden
	}
	return r.veiled(s)
}

// veiled is Document.veiled, once for each short text.
func (r *redactor) veiled(s string) string {
	if len(s) > 64 {
		return r.doc.veiled(s)
	}
	out, ok := r.seen[s]
	if !ok {
		out = r.doc.veiled(s)
		r.seen[s] = out
	}
	return out
}

var (
	sources   = regexp.MustCompile(`\{\{\s*(env|file)\.[A-Za-z0-9_./ -]+\}\}|\$\{[A-Za-z_][A-Za-z0-9_]*\}`)
	templates = regexp.MustCompile(`\{\{[A-Za-z0-9_./ *?-]+\}\}|\{\{\s*secret:[A-Za-z0-9_-]+\s*\}\}|\$\{[A-Za-z_][A-Za-z0-9_]*\}`)
)

// bare reports whether a text is nothing but marks of that form. Escaped ones are
// none: their braces and dollars are left over.
func bare(s string, marks *regexp.Regexp) bool {
	return strings.TrimSpace(marks.ReplaceAllLiteralString(s, "")) == ""
}

var (
	userinfo   = regexp.MustCompile(`(://)[^/?#\s]*@`)
	parameter  = regexp.MustCompile(`(?i)((?:^|[?&;\s])[^=&?#\s]*(?:pass|pwd|secret|token|key|sig|credential|auth)[^=&#\s]*=)([^&#\s]+)`)
	credential = regexp.MustCompile(`(?i)\b(bearer|basic)\s+[A-Za-z0-9+/=._~-]{16,}`)
	telling    = regexp.MustCompile(`(?i)pass|pwd|secret|token|api[-_]?key|auth|cookie|credential|private|signature|(?:^|[-_.])(?:key|pw|pin)$`)
	// compared is what a condition holds a secret against, and what is quoted behind
	// its name: headers["x-api-key"] == "…", password='…'.
	compared = regexp.MustCompile(`(?i)((?:pass|pwd|secret|token|api[-_]?key|credential|signature)[\w.-]*["'\])]*\s*(?:[=!]=|[:=]|\bin\b)\s*)(?:\[[^\]]*\]|"[^"]*"|'[^']*')`)
	turned   = regexp.MustCompile(`(?i)(?:"[^"]*"|'[^']*')(\s*[=!]=\s*[\w.]*(?:\[["'][\w-]*|\.[\w-]*)?(?:pass|pwd|secret|token|api[-_]?key|credential|signature))`)
)

// veiled is a text without what in it looks like a secret, or is one.
func (d *Document) veiled(s string) string {
	if strings.Contains(s, "PRIVATE KEY-----") {
		return Hidden
	}
	for _, secret := range d.secrets {
		if s == secret || len(secret) >= shortSecret && strings.Contains(s, secret) {
			return Hidden
		}
	}
	s = userinfo.ReplaceAllString(s, "${1}"+Hidden+"@")
	s = credential.ReplaceAllString(s, "${1} "+Hidden)
	s = turned.ReplaceAllString(compared.ReplaceAllString(s, "${1}"+Hidden), Hidden+"${1}")
	return parameter.ReplaceAllStringFunc(s, func(found string) string {
		parts := parameter.FindStringSubmatch(found)
		if bare(parts[2], templates) {
			return found
		}
		return parts[1] + Hidden
	})
}

// telling notes the value of a free mapping's key that says what it is. (Keys of
// struct types have types that say so.)
func (d *Document) telling(m member) {
	if telling.MatchString(m.name) {
		d.hide(m.value, sensitive)
	}
}

// keepSecret notes the text of a secret, which is shown nowhere.
func (d *Document) keepSecret(s string) {
	for _, one := range []string{s, pem(s), strings.TrimSpace(s)} {
		if one != "" && !slices.Contains(d.secrets, one) {
			d.secrets = append(d.secrets, one)
		}
	}
}
