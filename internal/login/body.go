package login

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/input"
)

// Bounds of what clients send, in bytes.
const (
	maxBody     = 64 << 10
	maxLogin    = 1 << 10
	maxPassword = 4 << 10
	maxToken    = 16 << 10
	maxText     = 1 << 10
	maxMetadata = 16 << 10
)

// body is what a client sent, by name. Only what somebody asks for is looked at:
// client_id, client_secret, audience, scope and realm nobody asks for.
type body struct {
	members map[string]json.RawMessage
	form    url.Values // in place of members
	wrong   input.Fields
}

// bodyOf reads JSON or a form. What begins as JSON is JSON, whatever its type says:
// the documents' curl -d calls it a form.
func bodyOf(c *gateway.Call) (*body, error) {
	if isForm(c) && !bytes.HasPrefix(bytes.TrimLeft(c.Body, " \t\r\n"), []byte("{")) {
		return formOf(c.Body)
	}
	return jsonOf(c.Body)
}

func isForm(c *gateway.Call) bool {
	kind, _, _ := strings.Cut(c.View.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded")
}

func jsonOf(raw []byte) (*body, error) {
	members, err := input.Members(raw)
	if err != nil {
		return nil, err
	}
	if members == nil {
		return nil, fault.New(fault.BadRequest, "bad_body", "The request has no body")
	}
	return &body{members: members}, nil
}

func formOf(raw []byte) (*body, error) {
	v, err := url.ParseQuery(string(raw))
	if err != nil {
		return nil, fault.New(fault.BadRequest, "bad_body", "The form cannot be read")
	}
	for name, list := range v {
		switch {
		case len(list) > 1:
			return nil, fault.New(fault.BadRequest, "bad_body", "Part of the form stands twice")
		case !utf8.ValidString(name), !utf8.ValidString(list[0]):
			return nil, fault.New(fault.BadRequest, "bad_body", "The form is not UTF-8")
		}
	}
	return &body{form: v}, nil
}

// text is a member that may be absent, which an empty one is (RFC 6749 section 3.1).
func (b *body) text(name string, most int) string {
	s := b.form.Get(name)
	if raw, there := b.members[name]; there && string(raw) != "null" {
		if json.Unmarshal(raw, &s) != nil {
			b.wrong.Add(name, "must be a string")
			return ""
		}
	}
	if len(s) > most {
		b.wrong.Add(name, "is too long")
		return ""
	}
	return s
}

// must is a member that has to be there.
func (b *body) must(name string, most int) string {
	before := b.wrong.Err() == nil
	s := b.text(name, most)
	if s == "" && (before == (b.wrong.Err() == nil)) {
		b.wrong.Add(name, "is required")
	}
	return s
}

// list is a member that is a list of texts, or one text.
func (b *body) list(name string) []string {
	if one := b.form[name]; len(one) > 0 {
		return strings.Fields(one[0])
	}
	raw, there := b.members[name]
	if !there || string(raw) == "null" {
		return nil
	}
	var many []string
	if json.Unmarshal(raw, &many) == nil && len(many) <= 16 {
		return many
	}
	var single string
	if json.Unmarshal(raw, &single) == nil {
		return []string{single}
	}
	b.wrong.Add(name, "must be a list of strings")
	return nil
}

// object is a member that is an object; nil where it is absent. In a form it is
// written as JSON.
func (b *body) object(name string, most int) json.RawMessage {
	raw, there := b.members[name]
	if text := b.form.Get(name); text != "" {
		if _, err := input.Members([]byte(text)); err != nil {
			b.wrong.Add(name, "must be an object")
			return nil
		}
		raw, there = json.RawMessage(text), true
	}
	if !there || string(raw) == "null" {
		return nil
	}
	switch {
	case !bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")):
		b.wrong.Add(name, "must be an object")
	case len(raw) > most:
		b.wrong.Add(name, "is too long")
	default:
		return raw
	}
	return nil
}

// account is who signs in: username or email, whichever is there.
func (b *body) account() string {
	name, email := b.text("username", maxLogin), b.text("email", maxLogin)
	switch {
	case name != "" && email != "" && name != email:
		b.wrong.Add("email", "is not what username says; send one of them")
	case name == "" && email == "":
		if b.wrong.Err() == nil {
			b.wrong.Add("username", "is required")
		}
	case name == "":
		return email
	}
	return name
}

// bearer is the token of the Authorization header; "" where there is none, or it is
// not one.
func bearer(c *gateway.Call) string {
	if c.View.Header.Count("Authorization") != 1 {
		return ""
	}
	scheme, token, _ := strings.Cut(c.View.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || len(token) > maxToken || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ""
	}
	return token
}
