package audit

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/store"
)

const (
	// ActionRefused is the action of counted refusals; Detail has reason, count and minute.
	ActionRefused = "request.refused"
	// reasonOverflow stands for what was past mostCounted.
	reasonOverflow = "overflow"
	// mostCounted is how many counters there may be at once.
	mostCounted = 10_000
	// mostNetworks is how many of them may be of networks: anybody can have very
	// many of those, and accounts that are tried are not to be lost among them, nor
	// the store to be filled by strangers.
	mostNetworks = 1_000
	// mostFlushed is how many rows one transaction writes.
	mostFlushed = 250
)

// refusals are counted until they are written.
type refusals struct {
	flushing sync.Mutex
	mu       sync.Mutex
	counts   map[refusalKey]int64
	networks int // those of them that are a network's
	most     int // of counts; mostCounted where it is 0
}

// full reports whether there is no room for a further counter.
func (r *refusals) full() bool { return len(r.counts) >= cmp.Or(r.most, mostCounted) }

type refusalKey struct {
	minute                  int64 // unix
	tenant, reason, account string
	network                 netip.Addr // where there is no account
}

// Refused counts a refusal or a failed log-in. The account is what was tried, ""
// where nobody said; without one the network of ip is counted. It does no I/O.
func (l *Log) Refused(tenant, reason, account string, ip netip.Addr) {
	k := refusalKey{minute: l.now().Unix() / 60, tenant: text(tenant, longestText), reason: text(reason, 100)}
	if account != "" {
		k.account = folded(text(account, longestText))
	} else {
		k.network = request.Network(ip)
	}
	r := &l.refused
	r.mu.Lock()
	defer r.mu.Unlock()
	r.add(k, 1)
}

// add counts under a key, or with what is too much where there is no room for it.
func (r *refusals) add(k refusalKey, n int64) {
	if r.counts == nil {
		r.counts = map[refusalKey]int64{}
	}
	if _, there := r.counts[k]; !there {
		switch {
		case r.full(), k.network.IsValid() && r.networks >= mostNetworks:
			k = refusalKey{minute: k.minute, reason: reasonOverflow}
		case k.network.IsValid():
			r.networks++
		}
	}
	r.counts[k] += n
}

// Flush writes the counts of past minutes, and with all those of this one. What
// could not be written is kept.
func (l *Log) Flush(ctx context.Context, all bool) error {
	r := &l.refused
	r.flushing.Lock()
	defer r.flushing.Unlock()
	due := r.take(l.now().Unix()/60, all)
	for len(due) > 0 {
		n := min(len(due), mostFlushed)
		err := l.db.Tx(ctx, func(tx *store.Tx) error {
			if err := turn(tx); err != nil {
				return err
			}
			for _, c := range due[:n] {
				switch nameless, err := l.nameless(tx, c); {
				case err != nil:
					return err
				case nameless:
					c.account = ""
				}
				if err := l.Append(tx, c.event()); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			r.giveBack(due)
			return err
		}
		due = due[n:]
	}
	return nil
}

type counted struct {
	refusalKey
	count int64
}

func (r *refusals) take(minute int64, all bool) []counted {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []counted
	for k, n := range r.counts {
		if all || k.minute < minute {
			out = append(out, counted{k, n})
			delete(r.counts, k)
			if k.network.IsValid() {
				r.networks--
			}
		}
	}
	slices.SortFunc(out, func(a, b counted) int { return int(a.minute - b.minute) })
	return out
}

func (r *refusals) giveBack(list []counted) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range list {
		r.add(c.refusalKey, c.count)
	}
}

func (c counted) event() Event {
	return Event{
		Tenant: c.tenant, Action: ActionRefused, Result: "refused",
		Actor: Actor{Kind: Anonymous, Email: c.account, IP: c.network},
		Detail: map[string]string{
			"reason": c.reason,
			"count":  strconv.FormatInt(c.count, 10),
			"minute": time.Unix(c.minute*60, 0).UTC().Format(time.RFC3339),
		},
	}
}
