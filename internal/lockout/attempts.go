package lockout

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/store"
)

// Attempts counts one attempt of a kind, and refuses where there were max within the
// window. It is counted by the key, from wherever it comes; without a key by the
// client's address. A key with an "@" is an e-mail address, and folded. With both
// given, the client's address bounds how many keys it can bring up. What is refused
// does not count.
func (l *Lockout) Attempts(ctx context.Context, kind, key string, ip netip.Addr, max int, window time.Duration) *fault.Error {
	p, err := l.attempt(ctx, kind, key, ip, rule{clamp(max), window})
	if err != nil {
		return refusal(err)
	}
	if err := l.d.DB.Read(ctx, func(tx *store.Tx) error { return p.full(tx, (*place).read, l.now()) }); err != nil {
		return refusal(err)
	}
	return refusal(l.d.DB.Tx(ctx, func(tx *store.Tx) error {
		now := l.now()
		if err := p.full(tx, (*place).turn, now); err != nil {
			return err
		}
		if err := p.room(tx, window); err != nil {
			return err
		}
		p.fail(now, p.rule)
		return p.write(tx)
	}))
}

func (l *Lockout) attempt(ctx context.Context, kind, key string, ip netip.Addr, r rule) (*place, error) {
	secret, err := l.key(ctx)
	if err != nil {
		return nil, err
	}
	if strings.Contains(key, "@") {
		key = fold(key)
	}
	kind = "try:" + kind
	p := &place{kind: kind, rule: r}
	network := request.Network(ip).String()
	switch {
	case key == "":
		p.digest = l.digest(secret, kind, "", network)
	case ip.IsValid():
		p.network = l.digest(secret, rowsOf, network)
		fallthrough
	default:
		p.digest = l.digest(secret, kind, key)
	}
	return p, nil
}

// full is the refusal of an attempt for which there is no place.
func (p *place) full(tx *store.Tx, take func(*place, *store.Tx, time.Time) error, now time.Time) error {
	if err := take(p, tx, now); err != nil {
		return err
	}
	if w := p.wait(now, p.rule); w > 0 {
		return tooMany(w)
	}
	return nil
}
