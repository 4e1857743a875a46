package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// farewell is how long both sides of a WebSocket have to answer a close of ours
// before their connections are closed.
const farewell = 400 * time.Millisecond

// tunnel is a WebSocket that runs: two lanes, one for each direction.
type tunnel struct {
	down, up lane // to the client, to the upstream
	idle     time.Duration
	last     atomic.Int64 // when bytes last went by, either way

	clock  sync.Mutex // of the deadlines
	ending bool       // they are set for the end
}

// lane carries bytes one way.
type lane struct {
	t     *tunnel
	src   net.Conn
	dst   net.Conn
	first []byte // what was read before
	mask  bool   // frames of ours are masked here
	bytes int64

	mu     sync.Mutex // of dst and what follows
	frames frames
	code   uint16 // a close of ours waits for the end of a frame
	shut   bool   // it stands; nothing follows it
}

func newTunnel(client, upstream net.Conn, idle time.Duration) *tunnel {
	t := &tunnel{idle: idle}
	t.down = lane{t: t, src: upstream, dst: client}
	t.up = lane{t: t, src: client, dst: upstream, mask: true}
	t.last.Store(time.Now().UnixNano())
	return t
}

// run carries both lanes until either ends or ctx does, and closes both
// connections. A context that was cancelled with an Ended is told to both sides
// by a close frame.
func (t *tunnel) run(ctx context.Context) error {
	over := make(chan error, 2)
	_ = t.up.src.SetDeadline(time.Time{})
	_ = t.down.src.SetDeadline(time.Time{})
	go func() { over <- t.up.carry() }()
	go func() { over <- t.down.carry() }()
	var err error
	running := 2
	select {
	case err = <-over:
		running--
		switch {
		case errors.Is(err, errIdle):
			running -= t.bye(CloseGoingAway, over)
		case err == nil: // the other lane may have the answer to a close
			t.hurry()
			running -= wait(over, running)
		}
	case <-ctx.Done():
		err = ctx.Err()
		if e := endedBy(ctx); e != nil {
			running -= t.bye(e.Close, over)
		}
	}
	_ = t.up.src.Close()
	_ = t.down.src.Close()
	for range running {
		<-over
	}
	return err
}

// bye closes a WebSocket from the middle: each side gets a close frame as soon
// as no other is under way, and a moment to answer. It returns how many lanes
// ended meanwhile.
func (t *tunnel) bye(code uint16, over <-chan error) (ended int) {
	t.hurry()
	t.down.say(code)
	t.up.say(code)
	return wait(over, 2)
}

// hurry lets neither side take longer than farewell from now on.
func (t *tunnel) hurry() {
	t.clock.Lock()
	defer t.clock.Unlock()
	t.ending = true
	limit := time.Now().Add(farewell)
	_ = t.up.src.SetDeadline(limit)
	_ = t.down.src.SetDeadline(limit)
}

// arm lets a lane be silent for the idle time, unless the end has come. The
// client's connection bounds its writes itself.
func (l *lane) arm(now time.Time) {
	t := l.t
	t.clock.Lock()
	defer t.clock.Unlock()
	if t.ending {
		return
	}
	_ = l.src.SetReadDeadline(now.Add(t.idle + t.idle/slack))
	if l.mask {
		_ = l.dst.SetWriteDeadline(now.Add(2 * t.idle))
	}
}

func (t *tunnel) isEnding() bool {
	t.clock.Lock()
	defer t.clock.Unlock()
	return t.ending
}

// wait waits for n lanes, at most farewell, and returns how many ended.
func wait(over <-chan error, n int) (ended int) {
	timer := time.NewTimer(farewell)
	defer timer.Stop()
	for ended < n {
		select {
		case <-over:
			ended++
		case <-timer.C:
			return ended
		}
	}
	return ended
}

// halfClose ends our direction alone, so that what the other side still says
// is not lost to a reset.
func halfClose(c net.Conn) {
	if own, ok := c.(*conn); ok {
		c = own.Conn
	}
	if w, ok := c.(interface{ CloseWrite() error }); ok {
		_ = w.CloseWrite()
	}
}

// say closes the lane behind the frame that is under way.
func (l *lane) say(code uint16) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.code = code
	l.last()
}

// last writes the close of ours if it may stand here.
func (l *lane) last() {
	if l.shut || l.code == 0 || !l.frames.between() {
		return
	}
	l.shut = true
	if !l.frames.closed {
		_, _ = l.dst.Write(closeFrame(l.code, l.mask))
	}
}

// write carries p on, up to where the lane ends.
func (l *lane) write(p []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shut {
		return nil // what comes now is read and dropped until the side closes
	}
	n := 0
	for n < len(p) {
		n += l.frames.next(p[n:])
		if l.code != 0 && l.frames.between() {
			break
		}
	}
	_, err := l.dst.Write(p[:n])
	l.bytes += int64(n)
	l.last()
	return err
}

var errIdle = errors.New("nothing came for too long")

// carry copies until the source ends, either side fails, or both are silent for
// too long.
func (l *lane) carry() error {
	if len(l.first) > 0 {
		if err := l.write(l.first); err != nil {
			return err
		}
	}
	bp := uploadBuffers.Get().(*[]byte)
	defer uploadBuffers.Put(bp)
	var armed time.Time
	for {
		now := time.Now()
		if now.Sub(armed) > l.t.idle/slack {
			armed = now
			l.arm(now)
		}
		n, err := l.src.Read(*bp)
		if n > 0 {
			l.t.last.Store(time.Now().UnixNano())
			if err := l.write((*bp)[:n]); err != nil {
				return err
			}
		}
		switch {
		case err == nil:
		case err == io.EOF:
			halfClose(l.dst)
			return nil
		case !timedOut(err) || l.t.isEnding():
			return err
		case time.Since(time.Unix(0, l.t.last.Load())) >= l.t.idle:
			return errIdle
		default:
			armed = time.Time{}
		}
	}
}
