package session

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/netip"

	"golang.org/x/oauth2"

	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/store"
)

// Bounds of sign-ins that have begun and not ended: of one browser (its tabs), and
// of all browsers of one network, each of which crowds out its own oldest alone.
// Whoever has very many networks crowds out the oldest of all (Prune). What a
// stranger begins within the limit of one address (Routes) takes longer than six
// minutes to crowd out a sign-in of the same address.
const (
	startsOfBrowser = 8
	startsOfNetwork = 2_000
	startsInAll     = 100_000
)

// cookiePre is the pre-session's cookie.
const cookiePre = identity.CookiePre

// start is what is kept of a sign-in that has begun: sealed.
type start struct {
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
	Redirect string `json:"redirect"`
	Return   string `json:"return"`
	Again    int64  `json:"again,omitempty"` // unix seconds: since when a sign-in counts; 0: any does
}

// begin stores a sign-in and returns where the browser goes, and the pre-session
// cookie that goes with it: the browser's own, where it has one, so that its tabs
// do not take each other's away. again has the provider ask for a sign-in even of
// somebody whom it knows.
func (s *Service) begin(ctx context.Context, t *Site, p *identity.Provider, from netip.Addr, pre, origin, back string, again bool) (to, cookie string, err error) {
	doc, err := s.document(ctx, p)
	if err != nil {
		return "", "", err
	}
	if !plausible(pre) {
		pre = random()
	}
	b := start{Nonce: random(), Verifier: oauth2.GenerateVerifier(), Redirect: origin + callbackPath + p.Name, Return: safeReturn(back)}
	if again {
		b.Again = s.d.Now().Add(-p.Leeway()).Unix()
	}
	state := random()
	conf, err := doc.config(p.Client(), b.Redirect)
	if err != nil {
		return "", "", err
	}
	network, err := s.networkOf(from)
	if err != nil {
		return "", "", err
	}
	sealed, err := s.sealJSON(place("session_starts", "sealed", hashOf(state)), b)
	if err != nil {
		return "", "", err
	}
	err = s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		now := tx.Now()
		if _, err := tx.Exec(`INSERT INTO session_starts (state, browser, network, site, provider, sealed, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			hashOf(state), hashOf(pre), network, t.Name, p.Name, sealed, now.UnixMilli(), now.Add(preSession).UnixMilli()); err != nil {
			return err
		}
		if err := crowd(tx, "browser", hashOf(pre), startsOfBrowser); err != nil {
			return err
		}
		return crowd(tx, "network", network, startsOfNetwork)
	})
	with := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(b.Verifier), oauth2.SetAuthURLParam("nonce", b.Nonce)}
	if again { // OpenID Connect Core 3.1.2.1; some providers know one of the two
		with = append(with, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	}
	to = conf.AuthCodeURL(state, with...)
	return to, pre, err
}

// crowd removes the oldest beyond most of those that have one value in a column.
func crowd(tx *store.Tx, column, value string, most int) error {
	_, err := tx.Exec(`DELETE FROM session_starts WHERE state IN (SELECT state FROM session_starts WHERE `+column+` = $1 ORDER BY created_at DESC, state LIMIT 1000 OFFSET $2)`, value, most)
	return err
}

// networkOf names a client's network without saying which it is.
func (s *Service) networkOf(ip netip.Addr) (string, error) {
	key, err := s.d.Keys.Derive("session-network", "")
	if err != nil {
		return "", err
	}
	m := hmac.New(sha256.New, key)
	m.Write([]byte(request.Network(ip).String()))
	return hex.EncodeToString(m.Sum(nil)[:16]), nil
}

// errNoStart says that a callback belongs to no sign-in of this browser: it never
// began, took too long, or has ended already.
var errNoStart = errors.New("session: no such sign-in")

// spend ends a sign-in that has begun: state and cookie fit together, or nothing
// is spent. more says that others of the browser are under way.
func (s *Service) spend(ctx context.Context, t *Site, provider, state, pre string) (b start, more bool, err error) {
	if !plausible(state) || !plausible(pre) {
		return start{}, false, errNoStart
	}
	var sealed []byte
	err = s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		var ends, n int64
		err := tx.Row(`DELETE FROM session_starts WHERE state = $1 AND browser = $2 AND site = $3 AND provider = $4 RETURNING sealed, expires_at`,
			hashOf(state), hashOf(pre), t.Name, provider).Scan(&sealed, &ends)
		if err != nil {
			return err
		}
		if tx.Now().UnixMilli() >= ends {
			sealed = nil
		}
		err = tx.Row(`SELECT COUNT(*) FROM session_starts WHERE browser = $1`, hashOf(pre)).Scan(&n)
		more = n > 0
		return err
	})
	if errors.Is(err, store.ErrNone) || err == nil && sealed == nil {
		return start{}, more, errNoStart
	}
	if err != nil {
		return start{}, false, err
	}
	return b, more, s.openJSON(place("session_starts", "sealed", hashOf(state)), sealed, &b)
}
