package store

import (
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/portreeve/portreeve/internal/fault"
)

// values turns arguments into what both engines take and give back alike: a
// bool into 0 or 1, named types into what they are made of, a nil pointer and a
// nil slice into NULL. A text that PostgreSQL could not hold is refused on both.
func values(args []any) ([]any, error) {
	out := make([]any, len(args))
	for i, a := range args {
		v, err := value(a)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func value(a any) (any, error) {
	switch a := a.(type) {
	case nil, int64:
		return a, nil
	case string:
		return text(a)
	case []byte:
		if a == nil {
			return nil, nil
		}
		return a, nil
	case time.Time, time.Duration:
		return nil, &statementError{mistake, fmt.Errorf("a %T is no column value: say UnixMilli or Milliseconds", a)}
	}
	switch v := reflect.ValueOf(a); v.Kind() { //nolint:exhaustive // the others are mistakes
	case reflect.Pointer:
		if v.IsNil() {
			return nil, nil
		}
		return value(v.Elem().Interface())
	case reflect.Bool:
		if v.Bool() {
			return int64(1), nil
		}
		return int64(0), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int(), nil
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return int64(v.Uint()), nil //nolint:gosec // at most 32 bits
	case reflect.Float32, reflect.Float64:
		return v.Float(), nil
	case reflect.String:
		return text(v.String())
	}
	return nil, &statementError{mistake, fmt.Errorf("a %T is no column value", a)}
}

func text(s string) (any, error) {
	if strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s) {
		return nil, fault.New(fault.BadRequest, "invalid_text", "A text holds characters that cannot be stored")
	}
	return s, nil
}
