package standin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// Sent is a request that a stand-in received.
type Sent struct {
	Method, Path, Query string
	Header              http.Header
	Body                []byte
	// Params are the body's parameters: of a JSON object or of a form. Form
	// reports which.
	Params map[string]any
	Form   bool
}

// Text is the parameter called name, "" where it is no text.
func (s Sent) Text(name string) string {
	v, _ := s.Params[name].(string)
	return v
}

// Names are the parameters' names in order.
func (s Sent) Names() []string {
	names := []string{}
	for k := range s.Params {
		names = append(names, k)
	}
	slices.Sort(names)
	return names
}

// record keeps what was received and what was wrong with it. A test that forgot
// to look would pass over a wrong request: so it asks for Complaints at its end.
type record struct {
	mu         sync.Mutex
	seen       []Sent
	complaints []string
}

// Seen is every request since the start or the last Forget, in the order of arrival.
func (r *record) Seen() []Sent {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

// Complaints are the faults of all requests: a parameter that the vendor does
// not document, one that is missing, a header that has no business there.
func (r *record) Complaints() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.complaints)
}

// Forget empties Seen. Complaints stay.
func (r *record) Forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = nil
}

// keep is bounded, so that a load test does not fill the memory that it measures.
func (r *record) keep(s Sent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.seen) < maxSeen {
		r.seen = append(r.seen, s)
	}
}

const maxSeen = 10_000

func (r *record) complain(s *Sent, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.complaints) < maxSeen {
		r.complaints = append(r.complaints, s.Method+" "+s.Path+": "+fmt.Sprintf(format, args...))
	}
}

// receive reads a request whole. A body that is neither a JSON object nor a
// form has no parameters, which the handlers notice.
func (r *record) receive(q *http.Request) (*Sent, error) {
	body, err := io.ReadAll(io.LimitReader(q.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	s := &Sent{Method: q.Method, Path: q.URL.Path, Query: q.URL.RawQuery, Header: q.Header.Clone(), Body: body}
	kind, _, _ := mime.ParseMediaType(q.Header.Get("Content-Type"))
	switch {
	case len(body) == 0:
	case kind == "application/json":
		s.Params, err = object(body)
	case kind == "application/x-www-form-urlencoded":
		s.Form = true
		s.Params, err = form(body)
	default:
		err = fmt.Errorf("a body of type %q", kind)
	}
	if err != nil {
		r.complain(s, "%v", err)
	}
	r.keep(*s)
	return s, nil
}

// object reads one JSON object. A name that stands there twice is refused: two
// readers would take different ones.
func object(body []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, fmt.Errorf("no JSON object")
	}
	out := map[string]any{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("no JSON object: %w", err)
		}
		var v any
		if err := d.Decode(&v); err != nil {
			return nil, fmt.Errorf("no JSON object: %w", err)
		}
		key, _ := name.(string)
		if _, twice := out[key]; twice {
			return nil, fmt.Errorf("parameter %q stands there twice", key)
		}
		out[key] = v
	}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("no JSON object: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("something follows the JSON object")
	}
	return out, nil
}

func form(body []byte) (map[string]any, error) {
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	for k, v := range values {
		if len(v) != 1 {
			return nil, fmt.Errorf("parameter %q stands there %d times", k, len(v))
		}
		out[k] = v[0]
	}
	return out, nil
}

// shape is which parameters an endpoint takes: the needed ones and the others,
// each with its type: "text", "bool", "texts", "object". One without a type is text.
type shape struct{ needs, takes string }

// check complains about everything that does not fit. It returns the first
// needed parameter that is missing, "" where none is.
func (r *record) check(s *Sent, k shape) (missing string) {
	kinds := map[string]string{}
	for _, list := range []string{k.needs, k.takes} {
		for word := range strings.FieldsSeq(list) {
			name, kind, _ := strings.Cut(word, ":")
			kinds[name] = kind
		}
	}
	for word := range strings.FieldsSeq(k.needs) {
		name, _, _ := strings.Cut(word, ":")
		if v, ok := s.Params[name]; (!ok || v == "") && missing == "" {
			missing = name
			r.complain(s, "parameter %q is missing", name)
		}
	}
	for _, name := range s.Names() {
		kind, known := kinds[name]
		switch {
		case !known:
			r.complain(s, "parameter %q is unknown", name)
		case !fits(s.Params[name], kind, s.Form):
			r.complain(s, "parameter %q is no %s", name, kind)
		}
	}
	return missing
}

func fits(v any, kind string, form bool) bool {
	switch kind {
	case "":
		_, ok := v.(string)
		return ok
	case "bool":
		_, ok := v.(bool)
		return ok || form && (v == "true" || v == "false")
	case "texts":
		list, ok := v.([]any)
		for _, e := range list {
			_, text := e.(string)
			ok = ok && text
		}
		return ok && len(list) > 0
	case "object":
		_, ok := v.(map[string]any)
		return ok
	}
	return false
}

// heads complains about header fields that a service has no business with:
// what a client sent to Portreeve and Portreeve should have kept.
func (r *record) heads(s *Sent, also ...string) {
	for name, values := range s.Header {
		switch {
		case slices.Contains(plainFields, name):
		case slices.ContainsFunc(also, func(a string) bool { return strings.EqualFold(a, name) }):
		default:
			r.complain(s, "header %q has no business here", name)
		}
		if len(values) != 1 {
			r.complain(s, "header %q stands there %d times", name, len(values))
		}
	}
}

// plainFields are of the message, or tell nothing. What Node's own fetch adds is
// among them.
var plainFields = []string{"Accept", "Accept-Encoding", "Accept-Language", "Connection", "Content-Length", "Content-Type", "Sec-Fetch-Mode", "Traceparent", "User-Agent"}
