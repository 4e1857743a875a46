package actions

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"regexp"
	"sync"
	"time"
)

// run is one script in one child, from the parent's side.
type run struct {
	engine  *Engine
	child   *child
	trigger Trigger
	script  Script
	fetches *fetcher
	out     *Outcome
	until   time.Time

	messages, bytes, calls, asks int
	write                        sync.Mutex
}

func (r *run) fail(why string) *Failure { return &Failure{Script: r.script.Name, Why: why} }

// converse gives the job and hears the child out. The outcome counts only where
// there is no error.
func (r *run) converse(ctx context.Context, j job) error {
	ctx, cancel := context.WithCancel(ctx)
	var asked sync.WaitGroup
	defer asked.Wait()
	defer cancel()
	stop := context.AfterFunc(ctx, r.child.kill) // the caller went, or the time is up
	defer stop()
	if err := r.child.conn.SetDeadline(r.until); err != nil {
		return err
	}
	if err := writeFrame(r.child.conn, j, maxJob); err != nil {
		return r.ended(ctx, err)
	}
	slots := make(chan struct{}, fetchesAtOne)
	for {
		b, err := readFrame(r.child.conn, maxFrame)
		if err != nil {
			return r.ended(ctx, err)
		}
		r.messages++
		if r.bytes += len(b); r.messages > maxMessages || r.bytes > maxTotal {
			return r.fail("asks for too much")
		}
		m, err := parseMessage(b)
		if err != nil {
			return r.fail("sends what is no message")
		}
		switch m.Kind {
		case kindLog:
			if len(r.out.Logs) < maxLogs {
				r.out.Logs = append(r.out.Logs, cut(hide(m.Text, r.script), maxLine))
			}
		case kindCall:
			if why := r.call(m); why != "" {
				return r.fail(why)
			}
		case kindAsk:
			if methods(r.trigger)[m.Method] != viaAsk {
				return r.fail("asks for what is not there")
			}
			if r.asks++; r.asks > maxCalls {
				return r.fail("asks for too much")
			}
			if m.Method != "fetch" {
				r.report(m, "")
				if err := r.answer(m.ID, r.engine.cache.ask(shelf{r.script.Site, r.trigger}, m.Method, m.Args), nil); err != nil {
					return r.ended(ctx, err)
				}
				continue
			}
			asked.Go(func() {
				select {
				case slots <- struct{}{}:
					defer func() { <-slots }()
				case <-ctx.Done():
					return
				}
				got, err := r.fetches.do(ctx, m.Args)
				_ = r.answer(m.ID, got, err) // a child that is gone is heard of by its reader
			})
		case kindDone:
			return nil
		case kindFailed:
			return r.thrown(m)
		default:
			return r.fail("sends what is no message")
		}
	}
}

// call does one call of api, and reports it.
func (r *run) call(m message) (why string) {
	if r.calls++; r.calls > maxCalls {
		return "asks for too much"
	}
	if methods(r.trigger)[m.Method] != viaCall {
		return "calls what is not there"
	}
	ignored, wrong := r.out.apply(r.trigger, m.Method, m.Args)
	if wrong != "" {
		return "api." + m.Method + " " + wrong
	}
	r.report(m, ignored)
	return ""
}

func (r *run) report(m message, ignored string) {
	r.out.Calls = append(r.out.Calls, CallReport{Script: r.script.Name, Method: "api." + m.Method, Args: m.Args, Ignored: ignored})
}

func (r *run) answer(id int, value any, wrong error) error {
	a := answer{ID: id}
	var told errFetch
	switch {
	case errors.As(wrong, &told):
		a.Error = string(told)
	case wrong != nil:
		a.Error = "it failed"
	default:
		b, err := json.Marshal(value)
		if err != nil {
			return err
		}
		a.Value = b
	}
	r.write.Lock()
	defer r.write.Unlock()
	return writeFrame(r.child.conn, a, maxJob)
}

var (
	anyClass = regexp.MustCompile(`^[A-Z][A-Za-z]{0,39}$`)
	anyWhere = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,80}:[0-9]{1,7}:[0-9]{1,7}$`)
	reasons  = map[string]bool{"throws": true, "never settles": true, "exports no handler": true, "leaves a rejection unhandled": true, "cannot be read": true}
)

// thrown is a failure in the child's words, as far as they are of a known form.
func (r *run) thrown(m message) *Failure {
	f := r.fail("throws")
	if reasons[m.Why] {
		f.Why = m.Why
	}
	if anyClass.MatchString(m.Class) {
		f.Class = m.Class
	}
	if anyWhere.MatchString(m.Where) {
		f.Where = m.Where
	}
	f.Detail = cut(hide(m.Text, r.script), maxLine)
	return f
}

// ended is what a conversation that broke off says of the script.
func (r *run) ended(ctx context.Context, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return context.Canceled
	case ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded):
		return r.fail("is late")
	case errors.Is(err, errFrame) && !errors.Is(err, io.ErrUnexpectedEOF):
		return r.fail("sends what is no message")
	}
	return r.fail(r.child.obituary())
}
