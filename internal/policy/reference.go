package policy

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

// reference is a value that a condition reads: auth.claims.level is
// {"auth", "claims", "level"}. The trace shows what stood there.
type reference []string

func (r reference) String() string { return strings.Join(r, ".") }

// references lists what an expression reads by constant names, each once.
func references(e ast.Expr) []reference {
	var out []reference
	seen := map[string]bool{}
	ast.PreOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		r := chain(e)
		if len(r) == 0 || seen[r.String()] {
			return
		}
		for _, longer := range out { // the visit comes from outside in
			if strings.HasPrefix(longer.String(), r.String()+".") {
				return
			}
		}
		seen[r.String()] = true
		out = append(out, r)
	}))
	return out
}

// chain reads auth.claims.level and auth.claims["level"] alike.
func chain(e ast.Expr) reference {
	switch e.Kind() {
	case ast.IdentKind:
		switch v := e.AsIdent(); v {
		case "auth", "request", "params", "query", "now":
			return reference{v}
		}
	case ast.SelectKind:
		if of := chain(e.AsSelect().Operand()); of != nil {
			return append(of, e.AsSelect().FieldName())
		}
	case ast.CallKind:
		if c := e.AsCall(); c.FunctionName() == operators.Index {
			of := chain(c.Args()[0])
			if s, ok := constant(c.Args()[1]); ok && of != nil {
				return append(of, s)
			}
		}
	}
	return nil
}

// show is the reference with what stands there: `auth.claims.level = 2`.
func (r reference) show(c *condition) string {
	v, ok := r.value(c)
	switch {
	case !ok:
		return r.String() + " is missing"
	case r.secret():
		return r.String() + " is there (not shown)"
	}
	return r.String() + " = " + showValue(v)
}

func (r reference) value(c *condition) (any, bool) {
	root, _ := c.ResolveName(r[0])
	switch {
	case len(r) == 1:
		return root, true
	case r[0] == "auth":
		f, ok := authFields()[r[1]]
		if !ok {
			return nil, false
		}
		v, ok := f.get(&c.stand)
		return into(v, ok, r[2:])
	case r[0] == "request":
		f, ok := requestFields()[r[1]]
		if !ok {
			return nil, false
		}
		v, ok := f.get(c)
		return into(v, ok, r[2:])
	}
	return into(root, true, r[1:])
}

// into follows names into maps.
func into(v any, ok bool, names []string) (any, bool) {
	for _, name := range names {
		switch m := v.(type) {
		case map[string]any:
			v, ok = m[name]
		case map[string]string:
			v, ok = m[name]
		default:
			return nil, false
		}
		if !ok {
			return nil, false
		}
	}
	return v, ok
}

// secret reports whether the name says that the value may be one.
func (r reference) secret() bool {
	if len(r) < 2 || r[0] == "auth" && r[1] != "claims" {
		return false
	}
	last := strings.ToLower(r[len(r)-1])
	for _, word := range [...]string{"auth", "token", "secret", "key", "passw", "cookie", "session", "assertion", "sig", "code", "credential", "jwt"} {
		if strings.Contains(last, word) {
			return true
		}
	}
	return len(r) == 2 && (r[1] == "headers" || r[1] == "claims") // whole
}

func showValue(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return `"` + clip(v) + `"`
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	case map[string]string:
		return fmt.Sprintf("%d values", len(v))
	case json.Number:
		return clip(v.String())
	case []string:
		return "[" + strings.Join(clipAll(v[:min(len(v), most)]), ", ") + "]"
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "a value"
	}
	return clip(string(b))
}
