package portal

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sync"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/store"
)

// Every form carries a value that counts once. A form that is sent twice, by a
// double click or by going back, is taken once: whoever sent the second one at
// about the same time gets the answer to the first (which may show a key that is
// shown only then), later ones are told that it was sent already. The values
// that were spent are in the store, so that it holds across nodes.

const (
	onceBytes  = 16
	onceFor    = 24 * time.Hour // a page that is older is loaded again anyway
	replyFor   = 10 * time.Second
	maxReplies = 1000
	// maxReply is what an answer may have to be kept: a page with a key has less, one
	// that shows a megabyte of somebody's form again would be a memory of its own.
	maxReply   = 64 << 10
	sweepEvery = 10 * time.Minute
)

type once struct {
	d Deps

	mu      sync.Mutex
	replies map[string]*answer
	swept   time.Time
}

// answer is what the first form got; done is closed when it is there.
type answer struct {
	done  chan struct{}
	at    time.Time
	reply request.Reply
	err   error
}

func newOnce(d Deps) *once { return &once{d: d, replies: map[string]*answer{}} }

// newOnceValue is what a page puts into its forms.
func newOnceValue() string {
	var b [onceBytes]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

// errSent is for whoever sends a form again.
var errSent = fault.New(fault.Conflict, "sent_already", "This form was sent already, and taken. Look at the list for what became of it")

// take runs a form's handler, once.
func (o *once) take(v *visit, f *form, run func() (request.Reply, error)) (request.Reply, error) {
	value := f.get("once")
	if len(value) != 2*onceBytes {
		return request.Reply{}, fault.New(fault.BadRequest, "bad_form", "The form is incomplete; load the page again")
	}
	// The value is its reader's and its page's: nobody gets another's answer by it.
	p := v.c.Who
	sum := sha256.Sum256([]byte(value + "\x00" + p.Provider + "\x00" + p.Authority() + "\x00" + p.ID() + "\x00" + v.c.Site.Name + "\x00" + v.c.Tenant +
		"\x00" + v.path() + "\x00" + string(v.c.Body)))
	mark := hex.EncodeToString(sum[:])
	a, first := o.begin(mark)
	if !first {
		select {
		case <-a.done:
			return a.reply, a.err
		case <-v.ctx.Done():
			return request.Reply{}, v.ctx.Err()
		}
	}
	defer func() { o.end(mark, a) }()
	// A browser that sends a form twice hangs up on the first: what was begun is
	// finished all the same, for the second to be answered with.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(v.ctx), gateway.OperationTime)
	defer cancel()
	v.ctx = ctx
	if a.err = o.spend(v, value); a.err == nil {
		a.err = errSent // if run panics
		a.reply, a.err = run()
	}
	if a.err != nil {
		a.reply, a.err = v.refused(a.err)
	}
	// Cookies too: the browser may drop this answer and keep the second's.
	a.reply.Header, v.cookies = slices.Concat(a.reply.Header, v.cookies), nil
	return a.reply, a.err
}

func (o *once) begin(mark string) (a *answer, first bool) {
	now := o.d.Now()
	o.mu.Lock()
	defer o.mu.Unlock()
	if a := o.replies[mark]; a != nil {
		return a, false
	}
	for m, old := range o.replies {
		if !old.at.IsZero() && now.Sub(old.at) > replyFor {
			delete(o.replies, m)
		}
	}
	a = &answer{done: make(chan struct{})}
	if len(o.replies) < maxReplies {
		o.replies[mark] = a
	}
	return a, true
}

func (o *once) end(mark string, a *answer) {
	o.mu.Lock()
	a.at = o.d.Now()
	if len(a.reply.Body) > maxReply && o.replies[mark] == a {
		delete(o.replies, mark) // who waits for it has it
	}
	o.mu.Unlock()
	close(a.done)
	time.AfterFunc(replyFor, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.replies[mark] == a {
			delete(o.replies, mark)
		}
	})
}

// spend notes in the store that a value is spent. Who cannot note it does nothing.
func (o *once) spend(v *visit, value string) error {
	now := o.d.Now()
	sum := sha256.Sum256([]byte(value))
	taken := false
	err := o.d.DB.Tx(v.ctx, func(tx *store.Tx) error {
		n, err := tx.Exec(`INSERT INTO portal_sent (mark, ends) VALUES ($1, $2) ON CONFLICT (mark) DO NOTHING`, hex.EncodeToString(sum[:]), now.Add(onceFor).UnixMilli())
		taken = n == 1
		return err
	})
	switch {
	case err != nil:
		return err
	case !taken:
		return errSent
	}
	o.sweep(v.ctx, now)
	return nil
}

// sweep forgets values whose pages nobody has open any more.
func (o *once) sweep(ctx context.Context, now time.Time) {
	o.mu.Lock()
	due := now.Sub(o.swept) > sweepEvery
	if due {
		o.swept = now
	}
	o.mu.Unlock()
	if !due {
		return
	}
	_ = o.d.DB.Tx(ctx, func(tx *store.Tx) error { // tried again later
		_, err := tx.Exec(`DELETE FROM portal_sent WHERE ends < $1`, now.UnixMilli())
		return err
	})
}
