package input

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/portreeve/portreeve/internal/fault"
)

// maxDepth bounds how deep a body may be nested.
const maxDepth = 32

// JSON reads a body that is one JSON object into a struct, whose fields name
// their members by json tags. An empty body is an empty object. Everything that
// is wrong comes back at once, as fault.BadRequest with one Detail for each
// field.
func JSON(body []byte, into any) error {
	members, err := object(body)
	if err != nil {
		return err
	}
	var f Fields
	v := reflect.ValueOf(into).Elem()
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		raw, ok := members[name]
		if !ok || name == "" || name == "-" {
			continue
		}
		if err := json.Unmarshal(raw, v.Field(i).Addr().Interface()); err != nil {
			f.Add(at(name, err), wanted(err, v.Field(i).Type()))
		}
	}
	return f.Err()
}

// Members lists the members of a body that is one JSON object, for surfaces
// that refuse those they do not know.
func Members(body []byte) (map[string]json.RawMessage, error) { return object(body) }

// object reads the outermost object.
func object(body []byte) (map[string]json.RawMessage, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, nil
	}
	if !utf8.Valid(body) {
		return nil, malformed("The request body is not JSON: it is not UTF-8")
	}
	if err := scan(body); err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil || members == nil {
		return nil, malformed("The request body is not a JSON object")
	}
	return members, nil
}

// scan goes over the whole body once: its depth, members that stand twice,
// whatever follows its end.
func scan(body []byte) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var stack []level
	for {
		tok, err := d.Token()
		switch {
		case errors.Is(err, io.EOF):
			return malformed("The request body is not JSON: it breaks off")
		case err != nil:
			return malformed("The request body is not JSON: " + where(err))
		}
		if top := len(stack) - 1; top >= 0 && stack[top].names != nil && stack[top].next(tok) {
			name := tok.(string)
			if stack[top].names[name] {
				return Invalid(clip(name), "stands twice in one object")
			}
			stack[top].names[name] = true
			continue
		}
		switch tok {
		case json.Delim('{'):
			stack = append(stack, level{names: map[string]bool{}})
		case json.Delim('['):
			stack = append(stack, level{})
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:len(stack)-1]
		}
		if len(stack) > maxDepth {
			return malformed(fmt.Sprintf("The request body is nested deeper than %d", maxDepth))
		}
		if len(stack) == 0 {
			if _, err := d.Token(); !errors.Is(err, io.EOF) {
				return malformed("The request body is more than one JSON value")
			}
			return nil
		}
	}
}

// level is one open object (names is set) or list.
type level struct {
	names map[string]bool
	value bool // a value follows, its name has been read
}

// next reports whether a token is the name of a member.
func (l *level) next(tok json.Token) bool {
	if l.value || tok == json.Delim('}') {
		l.value = false
		return false
	}
	l.value = true
	return true
}

func malformed(message string) error { return fault.New(fault.BadRequest, "bad_body", message) }

// where says where the syntax breaks, without quoting the body.
func where(err error) string {
	var s *json.SyntaxError
	if errors.As(err, &s) {
		return fmt.Sprintf("syntax error at byte %d", s.Offset)
	}
	return "it breaks off"
}

// at is the path of the member that could not be read.
func at(name string, err error) string {
	var t *json.UnmarshalTypeError
	if errors.As(err, &t) && t.Field != "" {
		return name + "." + t.Field
	}
	return name
}

// wanted says what would be right.
func wanted(err error, of reflect.Type) string {
	var t *json.UnmarshalTypeError
	if errors.As(err, &t) && t.Type != nil {
		of = t.Type
	} else if err != nil && !errors.As(err, &t) {
		return err.Error() // of a type that reads itself: its own words
	}
	return "must be " + kindOf(of)
}

func kindOf(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "an object"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number"
	}
	return "of another type"
}

// clip keeps a name that a caller made up short.
func clip(name string) string {
	if len(name) > 64 {
		return strings.ToValidUTF8(name[:64], "") + "…"
	}
	return name
}
