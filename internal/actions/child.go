package actions

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"
)

// childFlag is what makes our binary a child. It looks like a flag so that a
// binary whose main does not know it complains and ends instead of starting its
// own work a second time.
const childFlag = "-portreeve-action-child"

// readyTime is how long a child may take to come up on a machine that is busy.
const readyTime = 10 * time.Second

// child is one process, from the parent's side.
type child struct {
	process *os.Process
	conn    *os.File // our end of the socket pair
	lacks   []string
	state   *os.ProcessState
	killed  atomic.Bool
	ended   atomic.Bool
}

type startRequest struct{ reply chan started }

type started struct {
	child *child
	err   error
}

// starter starts children from one thread that lives as long as the engine: the
// machine ends a child with the thread that started it (PDEATHSIG), and Go ends
// threads as it sees fit.
func (e *Engine) starter() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for {
		select {
		case r := <-e.starts:
			c, err := spawn(childFlag)
			r.reply <- started{c, err}
		case <-e.closing:
			return
		}
	}
}

// start starts a child and waits until it is shut in.
func (e *Engine) start(ctx context.Context) (*child, error) {
	r := startRequest{reply: make(chan started, 1)}
	select {
	case e.starts <- r:
	case <-e.closing:
		return nil, errClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	got := <-r.reply
	if got.err != nil {
		return nil, fmt.Errorf("start a child: %w", got.err)
	}
	if err := got.child.greet(); err != nil {
		got.child.end()
		return nil, err
	}
	return got.child, nil
}

// greet hears the first message.
func (c *child) greet() error {
	if err := c.conn.SetDeadline(time.Now().Add(readyTime)); err != nil {
		return err
	}
	b, err := readFrame(c.conn, maxFrame)
	if err != nil {
		return fmt.Errorf("the child said nothing (%s): the main of this binary does not call actions.Child first, or this machine does not let it run", c.obituary())
	}
	m, err := parseMessage(b)
	if err != nil || m.Kind != kindReady {
		return errFrame
	}
	c.lacks = m.Lacks
	return nil
}

// alive reports whether a child that waits still does: it says nothing, and has
// not hung up. It asks without a deadline: one that passes while the machine stalls
// would be an answer without a look, and the dead one would get a run.
func (c *child) alive() bool {
	raw, err := c.conn.SyscallConn()
	if err != nil || c.conn.SetReadDeadline(time.Time{}) != nil {
		return false
	}
	var waits bool
	err = raw.Read(func(fd uintptr) bool { waits = silent(fd); return true })
	return err == nil && waits
}

// kill ends the process, now.
func (c *child) kill() {
	c.killed.Store(true)
	_ = c.process.Kill() // gone already: as well
}

// end kills the process and waits until it is no more, so that none is left
// behind, not even as a name in the table.
func (c *child) end() {
	if c.ended.Swap(true) {
		return
	}
	c.kill()
	_ = c.conn.Close()
	c.wait()
}

func (c *child) wait() {
	if c.state == nil {
		c.state, _ = c.process.Wait()
	}
}

// obituary says why a child that hung up did.
func (c *child) obituary() string {
	_ = c.conn.Close() // a child that only hung up ends now
	done := make(chan struct{})
	timer := time.AfterFunc(time.Second, c.kill)
	go func() { c.wait(); close(done) }()
	<-done
	timer.Stop()
	return epitaph(c.state)
}
