package actions

import (
	_ "embed"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"time"

	"github.com/dop251/goja"
	"github.com/dop251/goja/parser"
)

// prelude gives a script what is not ECMAScript: console, fetch, URL, crypto.
//
//go:embed prelude.js
var prelude string

// maxDepth bounds recursion in a script, well below what the stack holds.
const maxDepth = 2000

// vm is the engine in the child: one script, one thread.
type vm struct {
	rt        *goja.Runtime
	out       io.Writer
	answers   chan answer
	early     []answer // that came while a question that blocks was asked
	pending   map[int]func(answer)
	lastID    int
	timers    timers
	rejected  map[*goja.Promise]bool // and nobody handled it
	stringify goja.Callable
	parse     goja.Callable
	start     goja.Callable // prelude's: (handler, event, api) → promise
	nothing   goja.Callable
	require   goja.Value
}

// newVM makes an engine with everything but the script. It panics where the
// prelude is broken, which the tests see.
func newVM(out io.Writer) *vm {
	v := &vm{rt: goja.New(), out: out, answers: make(chan answer, 2*maxFetches), pending: map[int]func(answer){}, rejected: map[*goja.Promise]bool{}}
	v.rt.SetMaxCallStackSize(maxDepth)
	v.rt.SetParserOptions(parser.WithDisableSourceMaps) // of eval: a comment would name a file
	v.rt.SetPromiseRejectionTracker(func(p *goja.Promise, op goja.PromiseRejectionOperation) {
		if op == goja.PromiseRejectionReject {
			v.rejected[p] = true
		} else {
			delete(v.rejected, p)
		}
	})
	function := func(of goja.Value, name string) goja.Callable {
		f, ok := goja.AssertFunction(of.ToObject(v.rt).Get(name))
		if !ok {
			panic("the engine has no " + name)
		}
		return f
	}
	v.stringify, v.parse = function(v.rt.Get("JSON"), "stringify"), function(v.rt.Get("JSON"), "parse")
	made, err := v.rt.RunScript("prelude.js", prelude)
	if err != nil {
		panic(err)
	}
	install, _ := goja.AssertFunction(made)
	parts, err := install(goja.Undefined(), v.host())
	if err != nil {
		panic(err)
	}
	v.start, v.nothing = function(parts, "start"), function(parts, "nothing")
	v.require = parts.ToObject(v.rt).Get("require")
	return v
}

func (v *vm) send(m message) error { return writeFrame(v.out, m, maxFrame) }

// tell sends a message of the script's, which learns where it is too large.
func (v *vm) tell(m message) {
	err := v.send(m)
	if errors.Is(err, errFrame) {
		panic(v.rt.NewTypeError("what is passed to the host is larger than %d bytes", maxFrame))
	}
	if err != nil {
		panic(v.rt.NewTypeError("the host is gone"))
	}
}

// args are a call's arguments as JSON; what JSON does not have is null.
func (v *vm) args(list []goja.Value) []json.RawMessage {
	if len(list) > maxArgs {
		list = list[:maxArgs]
	}
	out := make([]json.RawMessage, len(list))
	for i, a := range list {
		s, err := v.stringify(goja.Undefined(), a)
		if err != nil {
			panic(err) // a cycle, a BigInt, a toJSON that throws: the script's exception
		}
		out[i] = json.RawMessage("null")
		if s != nil && !goja.IsUndefined(s) {
			out[i] = json.RawMessage(s.String())
		}
		if len(out[i]) > maxFrame {
			panic(v.rt.NewTypeError("what is passed to the host is larger than %d bytes", maxFrame))
		}
	}
	return out
}

// ask asks the parent and waits, while the script stands still.
func (v *vm) ask(method string, args []json.RawMessage) answer {
	v.lastID++
	id := v.lastID
	v.tell(message{Kind: kindAsk, ID: id, Method: method, Args: args})
	for a := range v.answers {
		if a.ID == id {
			return a
		}
		v.early = append(v.early, a)
	}
	return answer{}
}

// later asks the parent, and is a promise of the answer's JSON.
func (v *vm) later(method string, args []json.RawMessage) goja.Value {
	v.lastID++
	promise, resolve, reject := v.rt.NewPromise()
	v.pending[v.lastID] = func(a answer) {
		if a.Error != "" {
			_ = reject(v.rt.NewTypeError("fetch: %s", a.Error))
		} else {
			_ = resolve(v.rt.ToValue(string(a.Value)))
		}
	}
	v.tell(message{Kind: kindAsk, ID: v.lastID, Method: method, Args: args})
	return v.rt.ToValue(promise)
}

// run runs a job to its end, and is the last message.
func (v *vm) run(j job) message {
	read, err := goja.Parse(j.Name, j.Code, parser.WithSourceMapLoader(noFile))
	if err != nil {
		return v.failed("cannot be read", err)
	}
	compiled, err := goja.CompileAST(read, false)
	if err != nil {
		return v.failed("cannot be read", err)
	}
	program, err := v.rt.RunProgram(compiled)
	if err != nil {
		return v.failed("cannot be read", err)
	}
	module, exports := v.rt.NewObject(), v.rt.NewObject()
	_ = module.Set("exports", exports)
	wrapper, ok := goja.AssertFunction(program)
	if !ok {
		return message{Kind: kindFailed, Why: "cannot be read"}
	}
	if _, err := wrapper(goja.Undefined(), exports, v.require, module); err != nil {
		return v.failed("throws", err)
	}
	handler, err := v.handler(module, j.Handler)
	if err != nil {
		return v.failed("throws", err)
	}
	if handler == nil {
		return message{Kind: kindFailed, Why: "exports no handler"}
	}
	event, err := v.parse(goja.Undefined(), v.rt.ToValue(string(j.Event)))
	if err != nil {
		return v.failed("throws", err)
	}
	settled, err := v.start(goja.Undefined(), handler, event, v.api(j.Methods))
	if err != nil {
		return v.failed("throws", err)
	}
	promise, ok := settled.Export().(*goja.Promise)
	if !ok {
		return message{Kind: kindFailed, Why: "throws"}
	}
	return v.loop(promise)
}

// handler is the exported function, or nil.
func (v *vm) handler(module *goja.Object, name string) (handler goja.Value, err error) {
	thrown := v.rt.Try(func() { // getters are the script's
		exports := module.Get("exports")
		if exports == nil || goja.IsUndefined(exports) || goja.IsNull(exports) {
			return
		}
		h := exports.ToObject(v.rt).Get(name)
		if _, ok := goja.AssertFunction(h); ok {
			handler = h
		}
	})
	if thrown != nil { // a nil *goja.Exception is no nil error
		return nil, thrown
	}
	return handler, nil
}

// loop turns until the handler settles, or nothing is left that could settle it.
func (v *vm) loop(p *goja.Promise) message {
	for {
		switch p.State() {
		case goja.PromiseStateFulfilled:
			for other := range v.rejected {
				return v.failedWith("leaves a rejection unhandled", other.Result())
			}
			return message{Kind: kindDone}
		case goja.PromiseStateRejected:
			return v.failedWith("throws", p.Result())
		}
		if len(v.early) > 0 {
			a := v.early[0]
			v.early = v.early[1:]
			v.deliver(a)
			continue
		}
		due, any := v.timers.next()
		if !any && len(v.pending) == 0 {
			return message{Kind: kindFailed, Why: "never settles"}
		}
		var ring <-chan time.Time
		if any {
			ring = time.After(time.Until(due))
		}
		select {
		case a := <-v.answers:
			v.deliver(a)
		case <-ring:
			if err := v.timers.fire(); err != nil {
				return v.failed("throws", err)
			}
		}
	}
}

func (v *vm) deliver(a answer) {
	settle, ok := v.pending[a.ID]
	if !ok {
		return
	}
	delete(v.pending, a.ID)
	settle(a)
	_, _ = v.nothing(goja.Undefined()) // leaving a call is what runs the reactions
}

func (v *vm) failed(why string, err error) message {
	var thrown *goja.Exception
	if errors.As(err, &thrown) {
		m := v.failedWith(why, thrown.Value())
		if m.Where == "" {
			for _, f := range thrown.Stack() {
				if p := f.Position(); p.Line > 0 {
					m.Where = p.String()
					break
				}
			}
		}
		return m
	}
	return message{Kind: kindFailed, Why: why, Class: "Error", Text: cut(err.Error(), maxLine)}
}

// at finds the first position in a stack's text, behind the engine's own.
var at = regexp.MustCompile(`([A-Za-z0-9_.-]+:[0-9]+:[0-9]+)\([0-9]+\)`)

// failedWith describes what was thrown: anything at all.
func (v *vm) failedWith(why string, thrown goja.Value) message {
	m := message{Kind: kindFailed, Why: why}
	_ = v.rt.Try(func() {
		m.Text = cut(thrown.String(), maxLine)
		o, ok := thrown.(*goja.Object)
		if !ok {
			return
		}
		if name := o.Get("name"); name != nil {
			m.Class = cut(name.String(), maxMethod)
		}
		if stack := o.Get("stack"); stack != nil {
			for _, found := range at.FindAllStringSubmatch(cut(stack.String(), 4*maxLine), -1) {
				if m.Where = found[1]; len(m.Where) < 10 || m.Where[:10] != "prelude.js" {
					break
				}
			}
		}
	})
	return m
}
