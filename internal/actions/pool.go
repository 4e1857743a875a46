package actions

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
)

var errClosed = errors.New("the engine is closed")

// busy is what a run gets for which there was no child in time.
func busy(err error) error {
	f := fault.Wrap(fault.Unavailable, "actions_busy", "Not available right now", err)
	f.RetryAfter = time.Second
	return f
}

// take waits for a place among the children that run, and for one that is
// ready. release ends it: no child is used twice.
func (e *Engine) take(ctx context.Context) (*child, func(), error) {
	select {
	case e.line <- struct{}{}:
		defer func() { <-e.line }()
	default:
		return nil, nil, busy(fmt.Errorf("%d runs wait already", cap(e.line)))
	}
	ctx, cancel := context.WithTimeout(ctx, e.o.Wait)
	defer cancel()
	select {
	case e.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, busy(fmt.Errorf("no place among %d children: %w", e.o.Children, ctx.Err()))
	case <-e.closing:
		return nil, nil, busy(errClosed)
	}
	c, err := e.ready(ctx)
	if err != nil {
		<-e.slots
		return nil, nil, busy(err)
	}
	return c, func() {
		c.end()
		<-e.slots
	}, nil
}

// ready is a child that waits, or one that is started now.
func (e *Engine) ready(ctx context.Context) (*child, error) {
	for {
		select {
		case c := <-e.idle:
			if c.alive() {
				return c, nil
			}
			c.end()
			continue
		default:
		}
		break
	}
	return e.start(ctx)
}

// prepare keeps a few children started ahead of their run.
func (e *Engine) prepare() {
	defer func() {
		for {
			select {
			case c := <-e.idle:
				c.end()
			default:
				return
			}
		}
	}()
	pause := time.NewTimer(0)
	defer pause.Stop()
	<-pause.C
	for {
		ctx, cancel := context.WithTimeout(context.Background(), standardWait)
		c, err := e.start(ctx)
		cancel()
		if err != nil { // each run starts one for itself, and says what is wrong
			pause.Reset(time.Second)
			select {
			case <-pause.C:
				continue
			case <-e.closing:
				return
			}
		}
		select {
		case e.idle <- c:
		case <-e.closing:
			c.end()
			return
		}
	}
}
