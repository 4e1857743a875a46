package tenant

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// rig is a node: a store, the rules, a feed and a directory.
type rig struct {
	db   *store.DB
	svc  *Service
	feed *change.Feed
	dir  *Directory
	keys *fakeKeys
	defs *fakeRoles

	mu      sync.Mutex
	refused []string
}

func newRig(t testing.TB, db *store.DB, tenants ...string) *rig {
	t.Helper()
	r := &rig{db: db, keys: &fakeKeys{}, defs: &fakeRoles{}}
	r.svc = New(Deps{DB: db, Audit: newAudit(t, db), Keep: func() []string { return []string{"main"} }})
	r.feed = change.NewFeed(db, change.Options{MaxStale: time.Minute})
	r.dir = NewDirectory(r.svc, DirectoryDeps{Feed: r.feed, Keys: r.keys, Roles: r.defs, Entries: 1 << 10,
		Refused: func(_ *principal.Principal, _, reason string) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.refused = append(r.refused, reason)
		}})
	if err := r.svc.Ensure(t.Context(), tenants...); err != nil {
		t.Fatal(err)
	}
	r.poll(t)
	return r
}

func newAudit(t testing.TB, db *store.DB) *audit.Log {
	t.Helper()
	keys, err := seal.New([]seal.Key{{ID: "k1", Secret: secret.New(seal.NewKey())}})
	if err != nil {
		t.Fatal(err)
	}
	log, err := audit.New(keys, audit.Options{DB: db})
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// poll takes in what has been committed.
func (r *rig) poll(t testing.TB) {
	t.Helper()
	if err := r.feed.Poll(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// ask asks as the gate does: as often as there is a job.
func ask(d *Directory, who *principal.Principal, claim, standard string) (*policy.Known, *fault.Error) {
	q := policy.DirectoryAsk{Who: who, Claim: claim, Default: standard, Now: time.Now()}
	for range 8 {
		known, job, f := d.Find(q)
		if job == nil {
			return known, f
		}
		v, err := job.Run(context.Background())
		q.Settled = append(q.Settled, park.Settled{Key: job.Key, Value: v, Err: err})
	}
	return nil, fault.New(fault.Internal, "undecided", "")
}

// known asks after what has been committed is taken in, and fails the test where
// nothing can be said.
func (r *rig) known(t testing.TB, who *principal.Principal, claim, standard string) *policy.Known {
	t.Helper()
	r.poll(t)
	k, f := ask(r.dir, who, claim, standard)
	if f != nil {
		t.Fatalf("nothing is known: %v", f)
	}
	return k
}

func code(err error) string {
	var f *fault.Error
	if errors.As(err, &f) && f != nil {
		return f.Code
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func refusal(k *policy.Known) string {
	if k == nil || k.Refuse == nil {
		return ""
	}
	return k.Refuse.Code
}

// person is a caller with a verified e-mail, by an issuer.
func person(provider, subject, email string) *principal.Principal {
	p := &principal.Principal{Kind: principal.User, Provider: provider, ProviderKind: "oidc", Issuer: "https://" + provider + ".example", Subject: subject, Email: email}
	if folded, domain, ok := principal.FoldEmail(email); ok {
		p.EmailVerified, p.EmailFolded, p.EmailDomain = true, folded, domain
	}
	return p
}

func service(commonName string) *principal.Principal {
	return &principal.Principal{Kind: principal.Service, Provider: "access", ProviderKind: "access", Issuer: "https://team.example", CommonName: commonName}
}

// host grants everything.
func host() By {
	return By{Actor: audit.Actor{Kind: audit.Host, ID: "root"}, Host: true, Grants: grantsFunc(func([]string, []string) error { return nil })}
}

type grantsFunc func(before, after []string) error

func (g grantsFunc) Grant(_ *store.Tx, _ string, before, after []string) error {
	return g(before, after)
}

type fakeKeys struct {
	mu    sync.Mutex
	facts map[string]KeyFacts
	err   error
}

func (k *fakeKeys) Grant(_ *store.Tx, who *principal.Principal) (KeyFacts, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f, ok := k.facts[who.CredentialID]
	if !ok {
		f.Refuse = fault.New(fault.Unauthenticated, "key_revoked", "")
	}
	if f.Grant != nil {
		g := f.Grant
		f.Grant = &policy.KeyGrant{ID: g.ID, Machine: g.Machine, Scopes: g.Scopes, ByHost: g.ByHost, CreatorClaimed: g.CreatorClaimed}
	}
	return f, k.err
}

// set changes a key as its owner would: with its note.
func (k *fakeKeys) set(t testing.TB, db *store.DB, tenant, id string, f KeyFacts) {
	t.Helper()
	if err := db.Tx(t.Context(), func(tx *store.Tx) error {
		change.Note(tx, tenant, change.Key, id)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.facts == nil {
		k.facts = map[string]KeyFacts{}
	}
	k.facts[id] = f
}

type fakeRoles struct {
	mu   sync.Mutex
	defs []policy.RoleDef
	read int
}

func (r *fakeRoles) Roles(*store.Tx, string) ([]policy.RoleDef, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.read++
	return r.defs, nil
}

// each runs a test on both engines.
func each(t *testing.T, fn func(t *testing.T, r *rig)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) { fn(t, newRig(t, db, "main", "acme", "beta")) })
}

// add adds a user on the host.
func (r *rig) add(t testing.TB, tenant string, n NewUser) User {
	t.Helper()
	u, err := r.svc.AddUser(t.Context(), host(), tenant, n)
	if err != nil {
		t.Fatalf("add %+v: %v", n, err)
	}
	return u
}
