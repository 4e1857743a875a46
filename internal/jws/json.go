package jws

// maxDepth bounds the nesting of JSON that a stranger sends.
const maxDepth = 32

// reader is a strict JSON reader (RFC 8259). encoding/json is not used: it
// takes the last of two equal names, replaces invalid UTF-8 and lone
// surrogates, so that two different names can become one.
type reader struct {
	b     []byte
	i     int
	depth int
}

// DecodeObject reads one JSON object of at most limit bytes: valid UTF-8, no
// member name twice in one object at any depth, nesting at most 32, nothing but
// blanks after it. Values are map[string]any, []any, string, json.Number, bool
// and nil. The error is ErrMalformed.
func DecodeObject(b []byte, limit int) (map[string]any, error) {
	if len(b) > limit {
		return nil, malformed("JSON of more than %d bytes", limit)
	}
	r := &reader{b: b}
	m := map[string]any{}
	if err := r.whole(m); err != nil {
		return nil, err
	}
	return m, nil
}

func (r *reader) whole(m map[string]any) error {
	r.blanks()
	if r.peek() != '{' {
		return malformed("not a JSON object")
	}
	if err := r.members(m); err != nil {
		return err
	}
	return r.end()
}

// end refuses anything but blanks after the value.
func (r *reader) end() error {
	if r.blanks(); r.i != len(r.b) {
		return malformed("more text after the JSON object")
	}
	return nil
}

func (r *reader) members(m map[string]any) error {
	return r.object(func(name []byte) error {
		if _, twice := m[string(name)]; twice {
			return malformed("a member name stands twice in one JSON object")
		}
		v, err := r.value()
		m[string(name)] = v
		return err
	})
}

// object reads an object and calls member after each name; member must read the
// value. The name is only good until member reads on.
func (r *reader) object(member func(name []byte) error) error {
	if err := r.enter(); err != nil {
		return err
	}
	defer r.leave()
	if r.blanks(); r.take('}') {
		return nil
	}
	for {
		r.blanks()
		name, err := r.text()
		if err != nil {
			return err
		}
		if r.blanks(); !r.take(':') {
			return malformed("JSON object without a colon after a name")
		}
		if err := member(name); err != nil {
			return err
		}
		if done, err := r.more('}'); done || err != nil {
			return err
		}
	}
}

func (r *reader) array() ([]any, error) {
	if err := r.enter(); err != nil {
		return nil, err
	}
	defer r.leave()
	list := []any{}
	if r.blanks(); r.take(']') {
		return list, nil
	}
	for {
		v, err := r.value()
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		if done, err := r.more(']'); done || err != nil {
			return list, err
		}
	}
}

// more reads what follows an element: the closing byte (done) or a comma.
func (r *reader) more(closing byte) (done bool, err error) {
	r.blanks()
	if r.take(closing) {
		return true, nil
	}
	if !r.take(',') {
		return false, malformed("JSON without a comma between elements")
	}
	return false, nil
}

func (r *reader) value() (any, error) {
	r.blanks()
	switch c := r.peek(); {
	case c == '{':
		m := map[string]any{}
		return m, r.members(m)
	case c == '[':
		return r.array()
	case c == '"':
		s, err := r.text()
		return string(s), err
	case c == '-' || digit(c):
		return r.number()
	}
	return r.word()
}

func (r *reader) word() (any, error) {
	rest := r.b[r.i:]
	for _, w := range [...]struct {
		text  string
		value any
	}{{"true", true}, {"false", false}, {"null", nil}} {
		if len(rest) >= len(w.text) && string(rest[:len(w.text)]) == w.text {
			r.i += len(w.text)
			return w.value, nil
		}
	}
	return nil, malformed("not JSON")
}

// enter steps over the opening byte.
func (r *reader) enter() error {
	r.i++
	if r.depth++; r.depth > maxDepth {
		return malformed("JSON nested more than %d deep", maxDepth)
	}
	return nil
}

func (r *reader) leave() { r.depth-- }
