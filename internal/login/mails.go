package login

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
)

// Bounds of mails that are asked for.
const (
	mailsWaiting   = 256
	mailsOfAddress = 3
	mailsOfIP      = 20
	mailWindow     = time.Hour
	mailWorkers    = 2
	mailsAtEnd     = 3 * time.Second // for those that were accepted and wait when the process ends
)

// mails asks Auth0's Management API for verification mails, behind the answer: how
// long it takes says whether somebody has an account.
type mails struct {
	u     *Surface
	c     *ManagementConfig
	queue chan string

	mu      sync.Mutex
	token   string
	expires time.Time
}

func newMails(u *Surface, c *ManagementConfig) *mails {
	return &mails{u: u, c: c, queue: make(chan string, mailsWaiting)}
}

// ask puts an address into the queue; a full one is an error for the log.
func (m *mails) ask(email string) error {
	select {
	case m.queue <- email:
		return nil
	default:
		return errors.New("too many mails wait")
	}
}

// run asks for mails until ctx ends, and then for those that were accepted before.
func (m *mails) run(ctx context.Context) {
	late, cancel := outlast(ctx, mailsAtEnd)
	defer cancel()
	done := make(chan struct{}, mailWorkers)
	for range mailWorkers {
		go func() {
			defer func() { done <- struct{}{} }()
			for {
				select {
				case <-ctx.Done():
					m.rest(late)
					return
				case email := <-m.queue:
					m.one(late, email)
				}
			}
		}()
	}
	for range mailWorkers {
		<-done
	}
}

// rest empties the queue.
func (m *mails) rest(ctx context.Context) {
	for {
		select {
		case email := <-m.queue:
			m.one(ctx, email)
		default:
			return
		}
	}
}

func (m *mails) one(ctx context.Context, email string) {
	if err := m.send(ctx, email); err != nil {
		m.u.s.d.Log.Warn("login: a verification mail could not be asked for", "site", m.u.site.Name, "err", err)
	}
}

// send looks for unverified accounts of the address in the connection, and asks for
// a mail to each.
func (m *mails) send(ctx context.Context, email string) error {
	token, err := m.access(ctx)
	if err != nil {
		return err
	}
	r, err := jsonCall("GET", "/api/v2/users-by-email", nil, authorized(token))
	if err != nil {
		return err
	}
	r.Query = "email=" + url.QueryEscape(email)
	found, err := send(ctx, m.u.auth0.call, netip.Addr{}, r, anyJSON)
	if err != nil {
		return err
	}
	if err := m.heed(found); err != nil {
		return err
	}
	var users []struct {
		ID         string `json:"user_id"`
		Verified   bool   `json:"email_verified"`
		Identities []struct {
			Connection string `json:"connection"`
		} `json:"identities"`
	}
	if json.Unmarshal(found.body, &users) != nil {
		return because(errGarbled, errors.New("no list of users"))
	}
	for _, who := range users[:min(len(users), 8)] {
		ours := false
		for _, i := range who.Identities {
			ours = ours || i.Connection == m.u.c.Connection
		}
		if !ours || who.Verified || who.ID == "" {
			continue
		}
		r, err := jsonCall("POST", "/api/v2/jobs/verification-email", map[string]string{"user_id": who.ID, "client_id": m.u.c.ClientID}, authorized(token))
		if err != nil {
			return err
		}
		sent, err := send(ctx, m.u.auth0.call, netip.Addr{}, r, object)
		if err != nil {
			return err
		}
		if err := m.heed(sent); err != nil {
			return err
		}
	}
	return nil
}

// heed drops a token that is taken no more.
func (m *mails) heed(a *answer) error {
	if a.status == 401 {
		m.mu.Lock()
		m.token = ""
		m.mu.Unlock()
	}
	return a.mustBeGranted()
}

// access is a token of the Management API, kept until a minute before its end.
func (m *mails) access(ctx context.Context) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.u.s.d.Now()
	if m.token != "" && now.Before(m.expires) {
		return m.token, nil
	}
	audience := m.c.Audience
	if audience == "" {
		audience = m.u.c.under("/api/v2/")
	}
	a, err := m.u.auth0.post(ctx, netip.Addr{}, "/oauth/token", map[string]any{
		"grant_type": "client_credentials", "client_id": m.c.ClientID, "client_secret": m.c.ClientSecret.Reveal(), "audience": audience,
	}, object)
	if err != nil {
		return "", err
	}
	if err := a.mustBeGranted(); err != nil {
		return "", err
	}
	var seconds int64
	token := a.text("access_token")
	if json.Unmarshal(a.members["expires_in"], &seconds) != nil || token == "" || strings.ContainsAny(token, " \r\n") {
		return "", because(errGarbled, errors.New("no token of the Management API"))
	}
	m.token, m.expires = token, now.Add(time.Duration(min(max(seconds, 0), 86_400))*time.Second-time.Minute)
	return token, nil
}

// mayMail counts a mail that is asked for, and refuses one too many: strangers name
// whom it goes to.
func (u *Surface) mayMail(ctx context.Context, kind, email string, from netip.Addr) *fault.Error {
	if f := u.lock.Attempts(ctx, kind+"_ip", "", from, mailsOfIP, mailWindow); f != nil {
		return f
	}
	return u.lock.Attempts(ctx, kind, email, from, mailsOfAddress, mailWindow)
}
