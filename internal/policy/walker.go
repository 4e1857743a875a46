package policy

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
)

// reads is what an expression reads of the request by name, or by a name that
// is only known at run time.
type reads struct {
	query, headers      []string
	anyQuery, anyHeader bool
}

// walker looks over a checked expression for what types alone do not say.
type walker struct {
	text     string
	tree     *ast.AST
	params   []string
	reads    *reads
	problems []string
}

func (w *walker) errorf(e ast.Expr, format string, args ...any) {
	where := at(w.text, w.tree.SourceInfo().GetStartLocation(e.ID()))
	w.problems = append(w.problems, where+fmt.Sprintf(format, args...))
}

// walk visits e; key is the constant name under which the parent reads it, nil
// if it takes it whole or by a name that is not constant.
func (w *walker) walk(e ast.Expr, key *string) {
	switch e.Kind() {
	case ast.IdentKind:
		w.ident(e, key)
	case ast.SelectKind:
		s := e.AsSelect()
		name := s.FieldName()
		if variable(s.Operand()) == "request" && name == "headers" {
			w.header(e, key)
			return
		}
		w.walk(s.Operand(), &name)
	case ast.CallKind:
		w.call(e)
	case ast.ListKind:
		w.all(e.AsList().Elements())
	case ast.MapKind:
		for _, m := range e.AsMap().Entries() {
			w.walk(m.AsMapEntry().Key(), nil)
			w.walk(m.AsMapEntry().Value(), nil)
		}
	case ast.StructKind:
		w.errorf(e, "an expression cannot make a %s", e.AsStruct().TypeName())
	case ast.ComprehensionKind:
		c := e.AsComprehension()
		w.all([]ast.Expr{c.IterRange(), c.AccuInit(), c.LoopCondition(), c.LoopStep(), c.Result()})
	}
}

func (w *walker) all(list []ast.Expr) {
	for _, e := range list {
		w.walk(e, nil)
	}
}

func (w *walker) call(e ast.Expr) {
	c := e.AsCall()
	args := c.Args()
	switch c.FunctionName() {
	case overloads.Matches:
		pattern := args[len(args)-1]
		if _, ok := constant(pattern); !ok {
			w.errorf(pattern, "the pattern of matches must be written out in the expression")
		}
	case operators.Index, operators.In:
		of, name := args[0], args[1]
		if c.FunctionName() == operators.In {
			of, name = args[1], args[0]
		}
		w.walk(name, nil)
		if s, ok := constant(name); ok {
			w.walk(of, &s)
		} else {
			w.walk(of, nil)
		}
		return
	}
	if c.IsMemberFunction() {
		w.walk(c.Target(), nil)
	}
	w.all(args)
}

func (w *walker) ident(e ast.Expr, key *string) {
	switch name := e.AsIdent(); {
	case (name == "auth" || name == "request") && key == nil:
		w.errorf(e, "%s is not a value by itself: read a field of it, such as %s", name, map[string]string{"auth": "auth.sub", "request": "request.path"}[name])
	case name == "params" && key != nil && !slices.Contains(w.params, *key):
		w.errorf(e, "the path has no parameter %q%s", *key, meant(*key, w.params))
	case name == "query" && key == nil:
		w.reads.anyQuery = true
	case name == "query" && !slices.Contains(w.reads.query, *key):
		w.reads.query = append(w.reads.query, *key)
	}
}

func (w *walker) header(e ast.Expr, key *string) {
	switch {
	case key == nil:
		w.reads.anyHeader = true
	case strings.ToLower(*key) != *key:
		w.errorf(e, "header names are in lower case here: request.headers[%q]", strings.ToLower(*key))
	case !slices.Contains(w.reads.headers, *key):
		w.reads.headers = append(w.reads.headers, *key)
	}
}

// variable is the name of a plain variable, or "".
func variable(e ast.Expr) string {
	if e.Kind() == ast.IdentKind {
		return e.AsIdent()
	}
	return ""
}

// constant is a text written out in the expression.
func constant(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	s, ok := e.AsLiteral().(types.String)
	return string(s), ok
}
