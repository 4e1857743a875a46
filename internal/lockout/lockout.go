package lockout

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/store"
)

// Deps is what a Lockout works with.
type Deps struct {
	DB   *store.DB
	Keys *seal.Keys // seal the key that accounts and addresses are hashed under
	Now  func() time.Time
	Log  *slog.Logger
}

// Key is an attempt: who says to be whom, from where.
type Key struct {
	Realm   string // counters of different realms have nothing to do with each other
	Account string // as the client wrote it; "" where nobody is named
	IP      netip.Addr
}

// Lockout counts wrong passwords.
type Lockout struct {
	d           Deps
	account, ip rule
	hash        hasher
}

// The kinds of counters, in the order in which turns are taken.
const (
	ofAddress = "address"
	ofPair    = "pair"
	ofAccount = "account"
)

// everywhere is how often an account may be tried without success, from wherever,
// before only addresses count that are known to it.
func everywhere() rule { return rule{100, time.Hour} }

const (
	knownFor  = 30 * 24 * time.Hour
	toRecount = 10 * time.Second // what Failed and its like may take when the client is gone
)

// New makes a Lockout. A nil Config is all defaults.
func New(d Deps, c *Config) *Lockout {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	l := &Lockout{d: d}
	l.account, l.ip = c.rules()
	return l
}

// now is in whole milliseconds, as the store keeps it.
func (l *Lockout) now() time.Time { return l.d.Now().Truncate(time.Millisecond) }

// tried are an attempt's counters. pair and account are nil where nobody is named.
type tried struct{ address, pair, account *place }

func (t tried) all() []*place {
	if t.pair == nil {
		return []*place{t.address}
	}
	return []*place{t.address, t.pair, t.account}
}

func (l *Lockout) tried(ctx context.Context, k Key) (tried, error) {
	key, err := l.key(ctx)
	if err != nil {
		return tried{}, err
	}
	network := request.Network(k.IP).String()
	t := tried{address: &place{kind: ofAddress, digest: l.digest(key, ofAddress, k.Realm, network), rule: l.ip}}
	if k.Account != "" {
		account := fold(k.Account)
		t.pair = &place{kind: ofPair, digest: l.digest(key, ofPair, k.Realm, account, network), network: l.digest(key, rowsOf, network), rule: l.account}
		t.account = &place{kind: ofAccount, digest: l.digest(key, ofAccount, k.Realm, account), rule: everywhere()}
	}
	return t, nil
}

// Check holds a place for an attempt, or refuses it: too_many_attempts with
// RetryAfter, or Unavailable where the store cannot be asked. Whoever gets a place
// says Failed, Succeeded or Dropped afterwards; a place that nobody speaks of is
// given back after a minute.
func (l *Lockout) Check(ctx context.Context, k Key) *fault.Error {
	t, err := l.tried(ctx, k)
	if err != nil {
		return refusal(err)
	}
	look := func(tx *store.Tx, take func(*place, *store.Tx, time.Time) error) error {
		now := l.now()
		for _, p := range t.all() {
			if err := take(p, tx, now); err != nil {
				return err
			}
		}
		return t.refused(tx, now)
	}
	// First without a turn, so that a flood of guesses takes none.
	if err := l.d.DB.Read(ctx, func(tx *store.Tx) error { return look(tx, (*place).read) }); err != nil {
		return refusal(err)
	}
	return refusal(l.d.DB.Tx(ctx, func(tx *store.Tx) error {
		if err := look(tx, (*place).turn); err != nil {
			return err
		}
		if t.pair != nil {
			if err := t.pair.room(tx, l.account.window); err != nil {
				return err
			}
		}
		for _, p := range t.all() {
			p.hold(l.now())
			if err := p.write(tx); err != nil {
				return err
			}
		}
		return nil
	}))
}

// refused is the refusal of an attempt that has no place.
func (t tried) refused(tx *store.Tx, now time.Time) error {
	wait := t.address.wait(now, t.address.rule)
	if t.pair != nil {
		wait = max(wait, t.pair.wait(now, t.pair.rule))
		if w := t.account.wait(now, t.account.rule); w > 0 {
			here, err := known(tx, t.account.digest, t.pair.digest, now.Add(-knownFor))
			if err != nil {
				return err
			}
			if !here {
				wait = max(wait, w)
			}
		}
	}
	if wait > 0 {
		return tooMany(wait)
	}
	return nil
}

// Failed says that the provider called the credentials wrong.
func (l *Lockout) Failed(ctx context.Context, k Key) error {
	return l.ended(ctx, k, func(_ *store.Tx, t tried, now time.Time) error {
		for _, p := range t.all() {
			p.fail(now, p.rule)
		}
		return nil
	})
}

// Succeeded says that the provider took the credentials.
func (l *Lockout) Succeeded(ctx context.Context, k Key) error {
	return l.ended(ctx, k, func(tx *store.Tx, t tried, now time.Time) error {
		if t.account == nil {
			return nil
		}
		return meet(tx, t.account.digest, t.pair.digest, now)
	})
}

// Dropped says that an attempt came to neither: the provider was away, or risk
// refused it. Its place is free at once.
func (l *Lockout) Dropped(ctx context.Context, k Key) error {
	return l.ended(ctx, k, func(*store.Tx, tried, time.Time) error { return nil })
}

// ended gives an attempt's place up. It runs to its end when the client is gone:
// who hangs up before the answer has guessed all the same.
func (l *Lockout) ended(ctx context.Context, k Key, as func(*store.Tx, tried, time.Time) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), toRecount)
	defer cancel()
	t, err := l.tried(ctx, k)
	if err != nil {
		return orNil(refusal(err))
	}
	return orNil(refusal(l.d.DB.Tx(ctx, func(tx *store.Tx) error {
		now := l.now()
		for _, p := range t.all() {
			if err := p.turn(tx, now); err != nil {
				return err
			}
			p.give()
		}
		if err := as(tx, t, now); err != nil {
			return err
		}
		for _, p := range t.all() {
			if err := p.write(tx); err != nil {
				return err
			}
		}
		return nil
	})))
}

func tooMany(wait time.Duration) *fault.Error {
	f := fault.New(fault.TooManyRequests, "too_many_attempts", "Too many attempts; try again later")
	f.RetryAfter = wait
	return f
}

// refusal is the fault of what went wrong while deciding.
func refusal(err error) *fault.Error {
	var f *fault.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &f) && (f.Kind == fault.TooManyRequests || f.Kind == fault.Unavailable):
		return f
	}
	return fault.Wrap(fault.Unavailable, "lockout_unavailable", "Sign-in is not available right now", err)
}

// orNil keeps a nil fault from becoming an error that is not nil.
func orNil(f *fault.Error) error {
	if f == nil {
		return nil
	}
	return f
}
