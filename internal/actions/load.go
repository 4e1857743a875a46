package actions

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"

	"github.com/dop251/goja"
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/parser"
	"github.com/evanw/esbuild/pkg/api"
)

// maxSource bounds a script, as at Auth0.
const maxSource = 100 << 10

// Check reads a script and reports what keeps it from running at a trigger: a
// syntax error with its line, or no handler. Nothing of it is run.
func Check(s Script, t Trigger) error {
	_, err := lower(s, t)
	return err
}

// lower brings a script down to what the engine knows. Positions stay those of
// the source.
func lower(s Script, t Trigger) (string, error) {
	if len(s.Source) > maxSource {
		return "", fmt.Errorf("is larger than %d bytes", maxSource)
	}
	r := api.Transform(s.Source, api.TransformOptions{
		Loader: api.LoaderJS, Sourcefile: s.Name, Sourcemap: api.SourceMapInline, SourcesContent: api.SourcesContentExclude,
		Target: api.ES2017, Supported: map[string]bool{"bigint": true}, LogLevel: api.LogLevelSilent, Format: api.FormatDefault,
	})
	if len(r.Errors) > 0 {
		first := r.Errors[0]
		if at := first.Location; at != nil {
			return "", fmt.Errorf("%d:%d: %s", at.Line, at.Column+1, first.Text)
		}
		return "", errors.New(first.Text)
	}
	wrapped := "(function (exports, require, module) {" + string(r.Code) + "\n})"
	program, err := parser.ParseFile(nil, s.Name, wrapped, 0, parser.WithSourceMapLoader(noFile))
	if err != nil {
		return "", fmt.Errorf("cannot be read: %w", err)
	}
	if _, err := goja.CompileAST(program, false); err != nil {
		return "", fmt.Errorf("cannot be read: %w", err)
	}
	if !exports(program, t.Handler()) {
		return "", fmt.Errorf("exports no %s", t.Handler())
	}
	return wrapped, nil
}

// noFile keeps the engine from opening what a comment names.
func noFile(string) ([]byte, error) { return nil, fmt.Errorf("source maps are not read from files") }

// exports reports whether the script assigns the handler at its top level, as
// exports.NAME, module.exports.NAME or in module.exports = {NAME}. That it is a
// function is seen when it runs.
func exports(p *ast.Program, handler string) bool {
	if len(p.Body) != 1 {
		return false
	}
	whole, ok := p.Body[0].(*ast.ExpressionStatement)
	if !ok {
		return false
	}
	f, ok := whole.Expression.(*ast.FunctionLiteral)
	if !ok {
		return false
	}
	for _, st := range f.Body.List {
		e, ok := st.(*ast.ExpressionStatement)
		if ok && assigns(e.Expression, handler) {
			return true
		}
	}
	return false
}

func assigns(e ast.Expression, handler string) bool {
	if list, ok := e.(*ast.SequenceExpression); ok {
		for _, one := range list.Sequence {
			if assigns(one, handler) {
				return true
			}
		}
		return false
	}
	a, ok := e.(*ast.AssignExpression)
	if !ok {
		return false
	}
	if assigns(a.Right, handler) { // exports.a = exports.b = …
		return true
	}
	name, ok := member(a.Left)
	switch {
	case !ok:
		return false
	case name == "exports."+handler || name == "module.exports."+handler:
		return true
	case name != "module.exports":
		return false
	}
	o, ok := a.Right.(*ast.ObjectLiteral)
	if !ok {
		return false
	}
	for _, p := range o.Value {
		switch p := p.(type) {
		case *ast.PropertyShort:
			if string(p.Name.Name) == handler {
				return true
			}
		case *ast.PropertyKeyed:
			if key, ok := p.Key.(*ast.StringLiteral); ok && string(key.Value) == handler {
				return true
			}
		}
	}
	return false
}

// member is a.b.c as text.
func member(e ast.Expression) (string, bool) {
	switch e := e.(type) {
	case *ast.Identifier:
		return string(e.Name), true
	case *ast.DotExpression:
		left, ok := member(e.Left)
		return left + "." + string(e.Identifier.Name), ok
	case *ast.BracketExpression:
		left, ok := member(e.Left)
		key, is := e.Member.(*ast.StringLiteral)
		if !is {
			return "", false
		}
		return left + "." + string(key.Value), ok
	}
	return "", false
}

// lowered remembers what scripts were lowered to, so that a run does not read
// them again.
type lowered struct {
	mu sync.Mutex
	of map[string]string
}

const maxLowered = 128

func (l *lowered) get(s Script, t Trigger) (string, error) {
	sum := sha256.Sum256([]byte(string(t) + "\x00" + s.Name + "\x00" + s.Source))
	key := base64.StdEncoding.EncodeToString(sum[:])
	l.mu.Lock()
	code, ok := l.of[key]
	l.mu.Unlock()
	if ok {
		return code, nil
	}
	code, err := lower(s, t)
	if err != nil {
		return "", err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of == nil || len(l.of) >= maxLowered {
		l.of = map[string]string{}
	}
	l.of[key] = code
	return code, nil
}
