package docs

import (
	"encoding/json"
	"strconv"
	"strings"
)

// responses are what a route can answer, by status; anything else it answers in
// the shape of errors, or, where an application answers, in its own.
func (a *api) responses(r *route) map[string]response {
	out := map[string]response{}
	head := map[string]headerRef{"X-Request-Id": {Ref: "#/components/headers/X-Request-Id"}}
	if len(r.limits)+len(a.limits) > 0 {
		for _, name := range limitHeaders {
			head[name] = headerRef{Ref: "#/components/headers/" + name}
		}
	}
	failed := content{Schema: schema{"$ref": "#/components/schemas/Error"}}
	for _, f := range r.faults {
		with := map[string]headerRef{}
		for name, ref := range head {
			with[name] = ref
		}
		for _, name := range faultHeaders[f.kind.Status()] {
			with[name] = headerRef{Ref: "#/components/headers/" + name}
		}
		key := strconv.Itoa(f.kind.Status())
		out[key] = response{name: strings.ReplaceAll(f.kind.Label(), " ", ""), Description: f.kind.Label() + ": " + f.when + ".", Headers: with, Content: map[string]content{jsonType: failed}}
	}
	if r.answer.forward {
		for key, one := range out { // an application answers these, too, and in its own way
			one.Content = map[string]content{"*/*": {Schema: schema{}}, jsonType: {Schema: schema{"anyOf": []schema{failed.Schema, {}}}}}
			one.Description += " (Or the application's own answer with this status.)"
			out[key] = one
		}
		out["default"] = response{Description: "What the application answers.", Headers: head, Content: map[string]content{"*/*": {Schema: schema{}}}}
		return out
	}
	out["default"] = response{Description: "Any other error.", Headers: head, Content: map[string]content{jsonType: failed}}
	key := strconv.Itoa(r.answer.status)
	own := response{Description: r.answer.words, Headers: head, Content: r.answer.content()}
	if r.answer.moved {
		own.Headers = map[string]headerRef{"Location": {Ref: "#/components/headers/Location"}}
		for name, ref := range head {
			own.Headers[name] = ref
		}
	}
	if other, both := out[key]; both { // the file answers with the status of an error
		own.Description += " Or: " + other.Description
		own.Headers = other.Headers
		own.Content = map[string]content{"*/*": {Schema: schema{}}}
		if r.answer.kind == jsonType {
			own.Content = map[string]content{jsonType: {Schema: schema{"anyOf": []schema{r.answer.schema, failed.Schema}}}}
		}
	}
	out[key] = own
	return out
}

// shared holds responses that many operations have, each one once.
type shared struct {
	names map[string]string // by content
	all   map[string]response
}

// refer replaces errors by references to what all operations share.
func (s *shared) refer(list map[string]response) map[string]response {
	for key, r := range list {
		if r.name == "" {
			continue
		}
		raw, err := json.Marshal(r)
		if err != nil {
			continue
		}
		name := s.names[string(raw)]
		for i := 1; name == ""; i++ {
			try := r.name
			if i > 1 {
				try += strconv.Itoa(i)
			}
			if _, taken := s.all[try]; !taken {
				name = try
			}
		}
		s.names[string(raw)], s.all[name] = name, r
		list[key] = response{Ref: "#/components/responses/" + name}
	}
	return list
}

func (a answer) content() map[string]content {
	switch {
	case a.moved:
		return nil
	case a.kind == "":
		return map[string]content{"*/*": {Schema: schema{}}}
	}
	return map[string]content{a.kind: {Schema: a.schema}}
}

var (
	limitHeaders = []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}
	faultHeaders = map[int][]string{401: {"WWW-Authenticate", decisionHeader}, 403: {decisionHeader}, 429: {"Retry-After"}}
)

const decisionHeader = "X-Portreeve-Decision"

func headers() map[string]headerObject {
	number := schema{"type": "integer"}
	return map[string]headerObject{
		"X-Request-Id":          {"Names the request in logs.", text},
		decisionHeader:          {"Names a refusal: whoever runs the gate finds its reason by it.", text},
		"WWW-Authenticate":      {"Which credential is asked for, and what was wrong with the one sent (RFC 6750).", text},
		"Retry-After":           {"When to come back, in seconds.", number},
		"Location":              {"Where to go.", text},
		"X-RateLimit-Limit":     {"How many requests the tightest limit holds.", number},
		"X-RateLimit-Remaining": {"How many of them are left.", number},
		"X-RateLimit-Reset":     {"When there are more again, in Unix seconds.", number},
	}
}

// errorSchema is the flat shape of errors: gateway.Flat.
func errorSchema() schema {
	described := func(words string) schema { return schema{"type": "string", "description": words} }
	return object([]string{"error", "message"}, schema{
		"error":      described("The name of the status."),
		"message":    described("What is wrong, for people."),
		"details":    schema{"type": "array", "items": object([]string{"field", "issue"}, schema{"field": text, "issue": text})},
		"retryAfter": schema{"type": "integer", "description": "When to come back, in seconds."},
		"requestId":  described("Names the request in logs; with 5xx."),
	})
}
