package policy

import (
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/request"
)

// expression is a compiled condition.
type expression struct {
	text    string
	program cel.Program
	parts   []part // what && joins at the top, for the trace
	reads   reads
}

// part is one of the conditions that && joins.
type part struct {
	text    string
	program cel.Program
	refs    []reference
}

// compileExpression checks the types of an expression and plans it. problems
// are complete sentences with the place within the expression.
func compileExpression(text string, params []string) (e *expression, problems []string) {
	env, err := environment()
	if err != nil {
		return nil, []string{err.Error()}
	}
	checked, issues := env.Compile(text)
	if issues.Err() != nil {
		for _, p := range issues.Errors() {
			problems = append(problems, issueText(text, p))
		}
		return nil, problems
	}
	if out := checked.OutputType(); !out.IsExactType(cel.BoolType) {
		return nil, []string{"the condition must be true or false and is " + typeWord(out) + "; compare it with something"}
	}
	tree := checked.NativeRep()
	e = &expression{text: text}
	w := walker{text: text, tree: tree, params: params, reads: &e.reads}
	w.walk(tree.Expr(), nil)
	if len(w.problems) > 0 {
		return nil, w.problems
	}
	if e.program, err = program(env, checked); err != nil {
		return nil, []string{err.Error()}
	}
	if e.parts, err = planParts(env, tree); err != nil {
		return nil, []string{err.Error()}
	}
	return e, nil
}

func typeWord(t *cel.Type) string {
	if t.IsExactType(cel.DynType) {
		return "a claim of any type (write == true for a claim that is true or false)"
	}
	return "of type " + t.String()
}

// planParts plans each of the conditions that && joins at the top by itself, so
// that a refusal can say which of them did not hold.
func planParts(env *cel.Env, tree *ast.AST) ([]part, error) {
	var parts []part
	for _, sub := range conjuncts(tree.Expr()) {
		text, err := cel.ExprToString(sub, tree.SourceInfo())
		if err != nil {
			return nil, err
		}
		checked, issues := env.Compile(text)
		if issues.Err() != nil {
			return nil, issues.Err()
		}
		p := part{text: text, refs: references(checked.NativeRep().Expr())}
		if p.program, err = program(env, checked); err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return parts, nil
}

func conjuncts(e ast.Expr) []ast.Expr {
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != operators.LogicalAnd {
		return []ast.Expr{e}
	}
	var out []ast.Expr
	for _, a := range e.AsCall().Args() {
		out = append(out, conjuncts(a)...)
	}
	return out
}

// issueText rewrites a complaint of the checker for a reader of the file: where
// in the expression, and the nearest right field.
func issueText(text string, p *common.Error) string {
	message := strings.TrimSuffix(p.Message, " (in container '')")
	if name, ok := strings.CutPrefix(message, "undefined field '"); ok {
		name = strings.TrimSuffix(name, "'")
		message = fmt.Sprintf("%q is no field of auth or request", name) + meantField(name)
	}
	switch {
	case strings.HasPrefix(message, "Syntax error: token recognition error at: '='"),
		strings.HasPrefix(message, "Syntax error: token recognition error at: '= "):
		message = "a single = is no comparison; write =="
	case strings.HasPrefix(message, "undeclared reference to '"):
		message += "; there are auth, request, params, query and now"
	case strings.HasPrefix(message, "found no matching overload for '_==_' applied to '(list("):
		message += `; a list is asked with in: "x" in auth.roles`
	}
	return at(text, p.Location) + message
}

// meantField is the end of a message about a field that does not exist.
func meantField(name string) string {
	var known []string
	for f := range authFields() {
		known = append(known, f)
	}
	for f := range requestFields() {
		known = append(known, f)
	}
	if near := config.Nearest(name, known); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return "; a claim is read as auth.claims." + name
}

// at is the place within an expression: "column 7: ", with the line where the
// expression has several.
func at(text string, l common.Location) string {
	if l == nil || l.Line() < 1 {
		return ""
	}
	column := l.Column() + 1
	if strings.Contains(text, "\n") {
		return fmt.Sprintf("line %d of the condition, column %d: ", l.Line(), column)
	}
	return fmt.Sprintf("column %d of the condition: ", column)
}

// ambiguous names a query parameter or header field that the expression reads
// and that the request repeats: whoever looks next might read the other one.
func (e *expression) ambiguous(v *request.View) string {
	for _, name := range e.reads.headers {
		if v.Header.Count(name) > 1 {
			return "the header " + name
		}
	}
	for _, name := range e.reads.query {
		if len(v.QueryValues(name)) > 1 {
			return "the query parameter " + name
		}
	}
	if e.reads.anyHeader {
		seen := map[string]bool{}
		for _, f := range v.Header {
			if name := strings.ToLower(f.Name); seen[name] {
				return "the header " + clip(name)
			} else {
				seen[name] = true
			}
		}
	}
	if e.reads.anyQuery {
		seen, twice := map[string]bool{}, ""
		v.EachQuery(func(name, _ string) {
			if seen[name] {
				twice = "the query parameter " + clip(name)
			}
			seen[name] = true
		})
		return twice
	}
	return ""
}
