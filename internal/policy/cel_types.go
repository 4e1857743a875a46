package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// field is one field of auth or request as a condition sees it. get returns
// false where the caller or request has no such thing: reading it is then an
// error, which refuses, while has(auth.email) asks first.
type field[T any] struct {
	typ    *types.Type
	absent string // what is missing, for the trace
	get    func(T) (any, bool)
}

// authFields are the fields of auth. What is not here is a claim and is read
// as auth.claims.name, so that a misspelt field is found at load.
func authFields() map[string]field[*Standing] {
	str, list := types.StringType, types.NewListType(types.StringType)
	text := func(missing string, get func(*Standing) string) field[*Standing] {
		return field[*Standing]{str, missing, func(s *Standing) (any, bool) { v := get(s); return v, v != "" }}
	}
	texts := func(get func(*Standing) []string) field[*Standing] {
		return field[*Standing]{list, "", func(s *Standing) (any, bool) { return get(s), true }}
	}
	moment := func(missing string, get func(*Standing) time.Time) field[*Standing] {
		return field[*Standing]{types.TimestampType, missing, func(s *Standing) (any, bool) { v := get(s); return v, !v.IsZero() }}
	}
	return map[string]field[*Standing]{
		"sub":          text("the token has no sub", func(s *Standing) string { return s.Who.Subject }),
		"common_name":  text("the caller is no service token", func(s *Standing) string { return s.Who.CommonName }),
		"issuer":       text("the token has no iss", func(s *Standing) string { return s.Who.Issuer }),
		"provider":     text("no provider", func(s *Standing) string { return s.Who.Provider }),
		"kind":         text("no kind", func(s *Standing) string { return string(s.Who.Kind) }),
		"tenant_id":    text("the caller has no tenant", func(s *Standing) string { return s.Tenant }),
		"role":         text("the caller has no role", func(s *Standing) string { return s.Role() }),
		"email":        text("the token has no verified e-mail", func(s *Standing) string { return s.verifiedEmail() }),
		"email_domain": text("the token has no verified e-mail", func(s *Standing) string { return s.verifiedDomain() }),
		"roles":        texts((*Standing).Roles),
		"permissions":  texts((*Standing).Permissions),
		"scopes":       texts((*Standing).Scopes),
		"groups":       texts(func(s *Standing) []string { return s.Who.Groups }),
		"audience":     texts(func(s *Standing) []string { return s.Who.Audience }),
		"auth_time":    moment("the token has no auth_time", func(s *Standing) time.Time { return s.Who.AuthTime }),
		"issued_at":    moment("the token has no iat", func(s *Standing) time.Time { return s.Who.IssuedAt }),
		"expires":      moment("the token has no exp", func(s *Standing) time.Time { return s.Who.Expires }),
		"claims": {types.NewMapType(types.StringType, types.DynType), "",
			func(s *Standing) (any, bool) { return s.Who.Claims, true }},
	}
}

// verifiedEmail is the only e-mail that a decision may look at, folded.
func (s *Standing) verifiedEmail() string {
	if s.Who.EmailVerified {
		return s.Who.EmailFolded
	}
	return ""
}

func (s *Standing) verifiedDomain() string {
	if s.Who.EmailVerified {
		return s.Who.EmailDomain
	}
	return ""
}

// requestFields are the fields of request.
func requestFields() map[string]field[*condition] {
	text := func(get func(*condition) string) field[*condition] {
		return field[*condition]{types.StringType, "it is empty", func(c *condition) (any, bool) { v := get(c); return v, v != "" }}
	}
	return map[string]field[*condition]{
		"method": text(func(c *condition) string { return c.in.View.Method }),
		"host":   text(func(c *condition) string { return c.in.View.Host }),
		"scheme": text(func(c *condition) string { return c.in.View.Scheme }),
		"path":   text(func(c *condition) string { return c.in.View.Path.String() }),
		"id":     text(func(c *condition) string { return c.in.View.ID }),
		"ip": {types.StringType, "the client's address is not known", func(c *condition) (any, bool) {
			a := c.in.address()
			return a.Unmap().String(), a.IsValid()
		}},
		"headers": {types.NewMapType(types.StringType, types.StringType), "",
			func(c *condition) (any, bool) { return c.headers(), true }},
	}
}

const (
	authTypeName    = "portreeve.Auth"
	requestTypeName = "portreeve.Request"
)

// vocabulary is the type provider of conditions: the standard one plus the
// types of auth and request. Neither can be constructed in an expression.
type vocabulary struct {
	*types.Registry
	types map[string]map[string]*types.FieldType
}

func newVocabulary() (*vocabulary, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	return &vocabulary{registry, map[string]map[string]*types.FieldType{
		authTypeName:    fieldTypes("auth", authFields()),
		requestTypeName: fieldTypes("request", requestFields()),
	}}, nil
}

func fieldTypes[T any](variable string, fields map[string]field[T]) map[string]*types.FieldType {
	out := map[string]*types.FieldType{}
	for name, f := range fields {
		out[name] = &types.FieldType{
			Type:  f.typ,
			IsSet: func(target any) bool { t, ok := target.(T); return ok && isSet(f, t) },
			GetFrom: func(target any) (any, error) {
				t, ok := target.(T)
				if !ok {
					return nil, fmt.Errorf("%s.%s: wrong kind of value", variable, name)
				}
				v, ok := f.get(t)
				if !ok {
					return nil, fmt.Errorf("%s.%s: %s", variable, name, f.absent)
				}
				return v, nil
			},
		}
	}
	return out
}

func isSet[T any](f field[T], t T) bool { _, ok := f.get(t); return ok }

func (v *vocabulary) FindStructType(name string) (*types.Type, bool) {
	if v.types[name] != nil {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return v.Registry.FindStructType(name)
}

func (v *vocabulary) FindStructFieldNames(name string) ([]string, bool) {
	if f := v.types[name]; f != nil {
		return slices.Sorted(maps.Keys(f)), true
	}
	return v.Registry.FindStructFieldNames(name)
}

func (v *vocabulary) FindStructFieldType(name, fieldName string) (*types.FieldType, bool) {
	if f := v.types[name]; f != nil {
		t, ok := f[fieldName]
		return t, ok
	}
	return v.Registry.FindStructFieldType(name, fieldName)
}

func (v *vocabulary) NewValue(name string, fields map[string]ref.Val) ref.Val {
	if v.types[name] != nil {
		return types.NewErr("%s cannot be made in an expression", name)
	}
	return v.Registry.NewValue(name, fields)
}

var errBigNumber = errors.New("a whole number of the token is too large to compare exactly")

// NativeToValue turns what claims are made of into CEL values. The registry
// would read a whole number beyond 64 bits as a rounded double, so that two
// different numbers could compare equal.
func (v *vocabulary) NativeToValue(value any) ref.Val {
	switch x := value.(type) {
	case json.Number:
		if i, err := x.Int64(); err == nil {
			return types.Int(i)
		}
		f, err := x.Float64()
		if err != nil || !strings.ContainsAny(x.String(), ".eE") {
			return types.WrapErr(errBigNumber)
		}
		return types.Double(f)
	case map[string]any:
		return types.NewStringInterfaceMap(v, x)
	case []any:
		return types.NewDynamicList(v, x)
	case map[string]string:
		return types.NewStringStringMap(v, x)
	case []string:
		return types.NewStringList(v, x)
	}
	return v.Registry.NativeToValue(value)
}
