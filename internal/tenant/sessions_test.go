package tenant

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
)

type fakeSessions struct {
	mu    sync.Mutex
	facts map[string]SessionFacts
	err   error
	read  int
}

func (s *fakeSessions) Session(_ *store.Tx, who *principal.Principal) (SessionFacts, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read++
	f, ok := s.facts[who.SessionID+who.SecretDigest]
	if !ok {
		f.Refuse = fault.New(fault.Unauthenticated, identity.CodeSessionEnded, "")
	}
	return f, s.err
}

// set changes a session as its owner would: with its note.
func (s *fakeSessions) set(t testing.TB, db *store.DB, id string, edit func(map[string]SessionFacts)) {
	t.Helper()
	if err := db.Tx(t.Context(), func(tx *store.Tx) error {
		change.Note(tx, "", change.Session, id)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	edit(s.facts)
}

func sessionOf(who *principal.Principal, id, digest string) *principal.Principal {
	p := *who
	p.ProviderKind, p.Via, p.SessionID, p.SecretDigest = "session", who.ProviderKind, id, digest
	return &p
}

func TestWhatIsStoredOfASession(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		idle, absolute := time.Now().Add(time.Minute).Truncate(time.Millisecond), time.Now().Add(time.Hour).Truncate(time.Millisecond)
		live := SessionFacts{SessionFacts: policy.SessionFacts{ID: "s1", Idle: idle, Absolute: absolute}}
		old := live
		old.Renew = "the new value"
		sessions := &fakeSessions{facts: map[string]SessionFacts{"s1new": live, "s1old": old}}
		r.dir = NewDirectory(r.svc, DirectoryDeps{Feed: r.feed, Keys: r.keys, Roles: r.defs, Sessions: sessions})

		u := r.add(t, "acme", NewUser{Email: "olga@example.com", Roles: []string{"member"}})
		bearer := person("entra", "o-1", "olga@example.com")
		olga := sessionOf(bearer, "s1", "new")
		k := r.known(t, olga, "", "")
		if k.Refuse != nil || k.Tenant != "acme" || k.UserID != u.ID || !slices.Equal(k.Roles, []string{"member"}) || k.Renew != "" ||
			k.Session == nil || *k.Session != live.SessionFacts {
			t.Fatalf("a session: %+v %+v", k, k.Session)
		}
		if k := r.known(t, bearer, "", ""); k.UserID != u.ID || k.Session != nil {
			t.Errorf("a token of the same person is another user, or a session: %+v", k)
		}
		if k := r.known(t, sessionOf(bearer, "s1", "old"), "", ""); k.Renew != "the new value" || k.Session == nil {
			t.Errorf("the cookie before: %+v", k)
		}
		if k := r.known(t, sessionOf(bearer, "s1", "other"), "", ""); refusal(k) != identity.CodeSessionEnded || k.Session != nil || k.UserID != "" || k.Why == "" {
			t.Errorf("another's secret: %+v", k)
		}
		if k := r.known(t, sessionOf(bearer, "", "new"), "", ""); refusal(k) != identity.CodeSessionEnded {
			t.Errorf("no session: %+v", k)
		}
		if k := r.known(t, olga, "acme", ""); k.Session == nil || k.Tenant != "acme" {
			t.Errorf("with a tenant by claim: %+v", k)
		}
		if k := r.known(t, olga, "nowhere", ""); refusal(k) != "unknown_tenant" {
			t.Errorf("with one that does not exist: %+v", k)
		}

		r.known(t, olga, "", "") // the first bound its row, which is a change
		reads := sessions.read
		if r.known(t, olga, "", ""); sessions.read != reads {
			t.Error("it is read each time")
		}
		sessions.set(t, r.db, "s2", func(map[string]SessionFacts) {})
		if r.known(t, olga, "", ""); sessions.read != reads {
			t.Error("another's change makes it read again")
		}
		later := live
		later.Idle = idle.Add(time.Minute)
		sessions.set(t, r.db, "s1", func(m map[string]SessionFacts) { m["s1new"] = later })
		if k := r.known(t, olga, "", ""); !k.Session.Idle.Equal(later.Idle) {
			t.Errorf("after it was used: %+v", k.Session)
		}
		if _, err := r.svc.PatchUser(t.Context(), host(), "acme", u.ID, Patch{Roles: &[]string{"viewer"}}); err != nil {
			t.Fatal(err)
		}
		if k := r.known(t, olga, "", ""); !slices.Equal(k.Roles, []string{"viewer"}) || k.Session == nil {
			t.Errorf("after its roles changed: %+v", k)
		}
		sessions.set(t, r.db, "s1", func(m map[string]SessionFacts) { delete(m, "s1new") })
		if k := r.known(t, olga, "", ""); refusal(k) != identity.CodeSessionEnded || len(k.Roles) != 0 {
			t.Errorf("after it was revoked: %+v", k)
		}
	})
}

func TestASessionOfWhichNothingCanBeSaid(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		olga := sessionOf(person("entra", "o-1", "olga@example.com"), "s1", "new")
		if k := r.known(t, olga, "", "main"); refusal(k) != identity.CodeSessionEnded {
			t.Errorf("where there is no store of sessions: %+v", k)
		}
		r.dir = NewDirectory(r.svc, DirectoryDeps{Feed: r.feed, Sessions: &fakeSessions{err: errors.New("disk")}})
		if _, f := ask(r.dir, olga, "", "main"); f == nil || f.Kind != fault.Unavailable {
			t.Errorf("where it cannot be read: %v", f)
		}
	})
}
