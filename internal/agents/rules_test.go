package agents

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
	"github.com/portreeve/portreeve/internal/tenant"
)

// TestEveryRoleOnEveryOperation is the whole matrix, in two tenants whose things
// have equal names.
func TestEveryRoleOnEveryOperation(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		boss := h.token("boss@example.com")
		abroad := h.token("abroad@example.com", "tenant_id=other")
		callers := map[string]struct {
			token string
			rank  int
		}{
			"anonymous":              {"", -1},
			"nobody":                 {h.token("nobody@example.com"), 0},
			"who holds everything":   {h.token("root@example.com", "role=admin"), 0},
			"another tenant's owner": {abroad, 0},
			"the same e-mail, there": {h.token("owner@example.com", "tenant_id=other"), 0},
			"viewer":                 {h.token("viewer@example.com"), 1},
			"admin":                  {h.token("admin@example.com"), 2},
			"owner":                  {h.token("owner@example.com"), 3},
			"owner, in capitals":     {h.token("OWNER@Example.COM"), 3},
			"owner, by subject":      {h.token("sub:maker"), 3},
		}
		least := map[string]int{"GET /": 1, "PUT /": 2, "DELETE /": 3, "GET /admins": 2, "POST /admins": 3, "PATCH /admins": 3, "DELETE /admins": 3}
		for _, public := range []string{"true", "false"} {
			for operation, need := range least {
				for name, c := range callers {
					id := "m-" + h.name()
					if c.rank == 3 && strings.Contains(name, "subject") { // nobody can be added by a subject: it made its own
						h.want(201, c.token, "POST /api/agents", `{"name":"`+id+`","public":`+public+`}`)
						h.add(c.token, id, "boss@example.com", "owner")
					} else {
						h.want(201, boss, "POST /api/agents", `{"name":"`+id+`","public":`+public+`}`)
						for _, role := range []string{"viewer", "admin", "owner"} {
							h.add(boss, id, role+"@example.com", role)
						}
					}
					h.want(201, abroad, "POST /api/agents", `{"name":"`+id+`"}`)
					member := h.add(boss, id, "someone@example.com", "viewer")
					line := map[string]string{"GET /": "GET ", "PUT /": "PUT ", "DELETE /": "DELETE ", "GET /admins": "GET ", "POST /admins": "POST ", "PATCH /admins": "PATCH ", "DELETE /admins": "DELETE "}[operation] + "/api/agents/" + id
					if strings.HasSuffix(operation, "admins") {
						line += "/admins"
					}
					if operation == "PATCH /admins" || operation == "DELETE /admins" {
						line += "/" + member
					}
					ok := map[string]int{"GET /": 200, "PUT /": 200, "DELETE /": 204, "GET /admins": 200, "POST /admins": 201, "PATCH /admins": 200, "DELETE /admins": 204}[operation]
					want := 403
					switch {
					case c.rank < 0:
						want = 401
					case strings.HasPrefix(name, "another") && strings.HasSuffix(operation, "/") || name == "another tenant's owner" && (operation == "GET /admins" || operation == "POST /admins"):
						want = ok // on its own of the same name
					case name == "another tenant's owner":
						want = 404 // a member that is not in its own
					case c.rank >= need:
						want = ok
					}
					if status, got := h.ask(c.token, line, `{"description":"new","email":"new@example.com","role":"admin"}`); status != want {
						t.Errorf("%s, %s (public %s): %d %s, want %d", name, operation, public, status, got, want)
					}
					if name == "another tenant's owner" { // whatever it did, it did not do here
						if a := data[View](t, h.want(200, boss, "GET /api/agents/"+id, "")); a.Description != "" || a.Role != "owner" {
							t.Errorf("%s reached into another tenant: %+v", operation, a)
						}
						if got := h.want(200, boss, "GET /api/agents/"+id+"/admins", ""); !strings.Contains(got, "someone@example.com") || strings.Contains(got, "new@example.com") {
							t.Errorf("%s reached the members of another tenant: %s", operation, got)
						}
					}
				}
			}
		}
	})
}

// name is one that no other thing of the test has.
func (h *house) name() string { return fmt.Sprint(h.asked.Add(1)) }

// Private, missing, another tenant's: the answers are the same to the byte.
func TestNobodyLearnsWhatIsThere(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.want(201, h.token("alice@example.com"), "POST /api/agents", `{"name":"private"}`)
		h.want(201, h.token("alice@example.com", "tenant_id=other"), "POST /api/agents", `{"name":"theirs","public":true}`)
		h.want(201, h.token("alice@example.com"), "POST /api/agents", `{"name":"gone"}`)
		h.want(204, h.token("alice@example.com"), "DELETE /api/agents/gone", ``)
		bob := h.token("bob@example.com", "role=admin")
		for _, id := range []string{"private", "missing", "theirs", "gone", "NOT-A-NAME", "a%00b", "%ff%fe", strings.Repeat("x", 200)} {
			for _, line := range everyOperation(id, "x")[2:] {
				status, got := h.ask(bob, line, `{"email":"a@b.example","role":"owner"}`)
				if status == 400 && strings.Contains(id, "%") { // no path at all
					continue
				}
				if status != 403 || got != denied {
					t.Errorf("%s: %d %s", line, status, got)
				}
				if status, got := h.ask("", line, ``); status != 401 || got != anonymous {
					t.Errorf("anonymous %s: %d %s", line, status, got)
				}
			}
		}
		if got := h.want(200, bob, "GET /api/agents", ""); len(data[[]View](t, got)) != 0 {
			t.Error(got)
		}
		if status, got := h.ask(bob, "GET /api/agents", "", "X-Tenant-ID: other"); status != 403 || got != denied {
			t.Errorf("%d %s", status, got)
		}
	})
}

func TestTheLastOwnerStays(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		alice, bob := h.token("alice@example.com"), h.token("bob@example.com")
		h.want(201, alice, "POST /api/agents", `{"name":"a"}`)
		self := data[[]MemberView](t, h.want(200, alice, "GET /api/agents/a/admins", ""))[0].ID
		last := `{"error":{"code":"CONFLICT","message":"The last owner cannot be removed"}}`
		for line, body := range map[string]string{"DELETE /api/agents/a/admins/": "", "PATCH /api/agents/a/admins/": `{"role":"admin"}`} {
			if got := h.want(409, alice, line+self, body); got != last {
				t.Error(got)
			}
		}
		h.want(200, alice, "PATCH /api/agents/a/admins/"+self, `{"role":"owner"}`)
		other := h.add(alice, "a", "bob@example.com", "owner")
		h.want(200, alice, "PATCH /api/agents/a/admins/"+self, `{"role":"viewer"}`)
		h.want(403, alice, "PATCH /api/agents/a/admins/"+self, `{"role":"owner"}`)
		h.want(409, bob, "DELETE /api/agents/a/admins/"+other, "")
	})
}

// Who has neither an e-mail that counts nor a service token owns by who it is.
func TestOwnersBySubject(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		maker := h.token("sub:maker")
		h.want(201, maker, "POST /api/agents", `{"name":"a"}`)
		got := undated(h.want(200, maker, "GET /api/agents/a/admins", ""))
		id := data[[]MemberView](t, h.want(200, maker, "GET /api/agents/a/admins", ""))[0].ID
		if want := `{"data":[{"id":"` + id + `","subject":"maker","provider":"first","role":"owner","createdAt":"-"}],"meta":{"total":1,"limit":50,"offset":0}}`; got != want {
			t.Error(got)
		}
		h.want(403, h.token("sub:another"), "GET /api/agents/a", "")
		h.want(403, h.token("sub:maker", "iss=https://second.example"), "GET /api/agents/a", "")
		h.want(403, h.token("sub:maker", "iss=https://second.example", "tenant_id=main"), "GET /api/agents/a", "")
	})
}

// An e-mail that a users row has counts for the identity of the row alone.
func TestAnAddressIsItsRows(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		alice := h.token("alice@example.com")
		h.want(201, alice, "POST /api/agents", `{"name":"a"}`)
		h.want(201, alice, "POST /api/agents", `{"name":"b","public":true}`)
		other := h.token("alice@example.com", "iss=https://second.example", "tenant_id=main")
		h.want(200, other, "GET /api/agents/a", "") // no row: an address is an address
		if _, err := h.users.AddUser(t.Context(), tenant.By{}, "main", tenant.NewUser{Email: "Alice@example.com"}); err != nil {
			t.Fatal(err)
		}
		h.want(200, alice, "GET /api/agents/a", "") // binds
		h.want(403, other, "GET /api/agents/a", "") // identity_conflict
		// A caller who has a row of its own shows an address that is another's row.
		if _, err := h.users.AddUser(t.Context(), tenant.By{}, "main", tenant.NewUser{Bound: tenant.Binding{Provider: "first", Subject: "mallory"}}); err != nil {
			t.Fatal(err)
		}
		mallory := h.token("mallory", "email=alice@example.com")
		h.want(403, mallory, "GET /api/agents/a", "")
		if got := h.want(200, mallory, "GET /api/agents", ""); len(data[[]View](t, got)) != 1 || data[[]View](t, got)[0].Role != "" {
			t.Error(got)
		}
		h.want(201, mallory, "POST /api/agents", `{"name":"m"}`)
		if got := h.want(200, mallory, "GET /api/agents/m/admins", ""); !strings.Contains(got, `"subject":"mallory"`) {
			t.Error(got)
		}
		h.want(403, alice, "GET /api/agents/m", "")
	})
}

func serviceBy(token string) By {
	return By{Tenant: "main", Who: &principal.Principal{Kind: principal.Service, Provider: "access", ProviderKind: "access", CommonName: token}}
}

func TestWhoCannotHaveARole(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		key := &principal.Principal{Kind: principal.Service, ProviderKind: "apiKey", Provider: "apiKey", Subject: "key:1", CommonName: "svc.access", CredentialID: "1", Tenant: "main"}
		machine := &principal.Principal{Kind: principal.Machine, ProviderKind: "machine", Provider: "machine", Subject: "machine:1", EmailFolded: "alice@example.com", EmailVerified: true}
		unknown := &principal.Principal{Kind: principal.User, Provider: "first", ProviderKind: "jwt", Email: "alice@example.com"}
		abroad := person("alice@example.com")
		abroad.Tenant = "other"
		ctx := t.Context()
		if _, err := h.s.Create(ctx, person("alice@example.com"), "main", First, draft("a")); err != nil {
			t.Fatal(err)
		}
		if _, err := h.s.AddMember(ctx, person("alice@example.com"), "main", First, "a", Member{ServiceToken: "svc.access", Role: Owner}); err != nil {
			t.Fatal(err)
		}
		for name, by := range map[string]By{
			"a key": {Who: key, Tenant: "main"}, "a machine": {Who: machine, Tenant: "main"}, "nobody who could be found again": {Who: unknown, Tenant: "main"}, "an operator in another tenant": abroad,
		} {
			_, create := h.s.Create(ctx, by, "main", First, draft("x"))
			_, get := h.s.Get(ctx, by, "main", First, "a")
			_, change := h.s.Change(ctx, by, "main", First, "a", Draft{})
			_, add := h.s.AddMember(ctx, by, "main", First, "a", Member{Email: "x@example.com", Role: Owner})
			for i, err := range []error{create, get, change, add, h.s.Delete(ctx, by, "main", First, "a"), h.s.RemoveMember(ctx, by, "main", First, "a", "x")} {
				if c := code(err); c != "missing_resource_role" && c != "owns_nothing" {
					t.Errorf("%s, %d: %v", name, i, err)
				}
			}
		}
		if a, err := h.s.Get(ctx, serviceBy("svc.access"), "main", First, "a"); err != nil || a.Role != Owner {
			t.Errorf("a service token: %+v, %v", a, err)
		}
		if _, err := h.s.Get(ctx, serviceBy("SVC.access"), "main", First, "a"); code(err) != "missing_resource_role" {
			t.Errorf("another service token: %v", err)
		}
	})
}

func TestAppointOnTheHost(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.want(201, h.token("alice@example.com"), "POST /api/agents", `{"name":"a"}`)
		host := audit.Actor{Kind: audit.Host, ID: "root"}
		appoint := func(id, email, role string) string {
			_, err := h.s.Appoint(t.Context(), host, "main", First, id, email, role)
			return code(err)
		}
		for _, c := range []struct{ id, email, role, want string }{
			{"missing", "bob@example.com", "owner", "no_agent"},
			{"a", "bob", "owner", "validation_failed"},
			{"a", "bob@example.com", "boss", "validation_failed"},
			{"a", "alice@example.com", "viewer", "last_owner"},
			{"a", "bob@example.com", "owner", ""},
			{"a", "Bob@example.com", "owner", ""},
			{"a", "alice@example.com", "viewer", ""},
		} {
			if got := appoint(c.id, c.email, c.role); got != c.want {
				t.Errorf("%+v: %q", c, got)
			}
		}
		h.want(204, h.token("bob@example.com"), "DELETE /api/agents/a", "")
		if _, err := h.s.Appoint(t.Context(), host, "nowhere", First, "a", "x@example.com", Owner); code(err) != "no_tenant" {
			t.Error(err)
		}
	})
}

func TestSitesWithoutAuthentication(t *testing.T) {
	eachOn(t, on{NoAuth: true, Tenant: "other"}, func(t *testing.T, h *house) {
		// Somebody's of the same name in both tenants is not what anybody changes.
		ctx := t.Context()
		for _, of := range []string{"main", "other"} {
			by := person("alice@example.com")
			by.Tenant = of
			if _, err := h.s.Create(ctx, by, of, First, Draft{Name: some("default"), Public: some(true), Description: some("hers")}); err != nil {
				t.Fatal(err)
			}
			if _, err := h.s.Create(ctx, by, of, First, Draft{Name: some("open-" + of), Public: some(true)}); err != nil {
				t.Fatal(err)
			}
		}
		fresh := `{"id":"default","name":"default","description":"","public":true,"role":"admin","settings":{},"createdAt":"-","updatedAt":"-"}`
		changed := strings.Replace(strings.Replace(fresh, `{}`, `{"a":1}`, 1), `"description":""`, `"description":"x"`, 1)
		open := `{"id":"open-other","name":"open-other","description":"","public":true,"createdAt":"-","updatedAt":"-"}`
		for _, step := range []struct {
			line, body string
			status     int
			want       string
		}{
			{"GET /api/agents/default", "", 200, `{"data":` + fresh + `}`},
			{"GET /api/agents", "", 200, `{"data":[` + fresh + `,` + open + `],"meta":{"total":2,"limit":50,"offset":0}}`},
			{"GET /api/agents?limit=1", "", 200, `{"data":[` + fresh + `],"meta":{"total":2,"limit":1,"offset":0}}`},
			{"GET /api/agents?limit=1&offset=1", "", 200, `{"data":[` + open + `],"meta":{"total":2,"limit":1,"offset":1}}`},
			{"GET /api/agents?search=other", "", 200, `{"data":[` + open + `],"meta":{"total":1,"limit":50,"offset":0}}`},
			{"PUT /api/agents/default", `{"description":"x","settings":{"a":1},"public":false,"name":"default"}`, 200, `{"data":` + changed + `}`},
			{"GET /api/agents/default", "", 200, `{"data":` + changed + `}`},
			{"GET /api/agents/default/admins", "", 200, `{"data":[],"meta":{"total":0,"limit":50,"offset":0}}`},
			{"PUT /api/agents/default", `{"name":"other"}`, 400, `{"error":{"code":"VALIDATION_ERROR","message":"Validation failed","details":{"field":"name","issue":"cannot be changed: it is the id"}}}`},
			{"DELETE /api/agents/default", "", 403, denied},
			{"POST /api/agents/default/admins", `{"email":"x@example.com","role":"owner"}`, 403, denied},
			{"PATCH /api/agents/default/admins/x", `{"role":"owner"}`, 403, denied},
			{"DELETE /api/agents/default/admins/x", ``, 403, denied},
			{"POST /api/agents", `{"name":"mine"}`, 401, anonymous},
			{"GET /api/agents/open-other", "", 401, anonymous},
			{"PUT /api/agents/open-other", `{"description":"x"}`, 401, anonymous},
			{"DELETE /api/agents/open-other", "", 401, anonymous},
		} {
			for _, token := range []string{"", h.token("alice@example.com")} { // which nobody looks at
				status, got := h.ask(token, step.line, step.body)
				if got = undated(got); status != step.status || got != step.want {
					t.Errorf("%s %s:\n got %d %s\nwant %d %s", step.line, step.body, status, got, step.status, step.want)
				}
			}
		}
		by := person("alice@example.com")
		if a, err := h.s.Get(ctx, by, "main", First, "default"); err != nil || a.Description != "hers" || a.Role != Owner {
			t.Errorf("hers: %+v, %v", a, err)
		}
	})
}

const callers = 16

// Sixteen owners remove each other at once: one is left.
func TestOwnersRemoveEachOtherAtOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for _, demote := range []bool{false, true} {
			id := fmt.Sprint("a-", demote)
			ctx := context.Background()
			email := func(i int) string { return fmt.Sprintf("o%d@example.com", i) }
			if _, err := h.s.Create(ctx, person(email(0)), "main", First, draft(id)); err != nil {
				t.Fatal(err)
			}
			for i := 1; i < callers; i++ {
				if _, err := h.s.AddMember(ctx, person(email(0)), "main", First, id, Member{Email: email(i), Role: Owner}); err != nil {
					t.Fatal(err)
				}
			}
			list, _, err := h.s.Members(ctx, person(email(0)), "main", First, id, Listing{Sort: "createdAt", Page: input.Page{Limit: 200}})
			if err != nil {
				t.Fatal(err)
			}
			of := map[string]string{}
			for _, m := range list {
				of[m.Email] = m.ID
			}
			storetest.Callers(t, callers, func(i int) error {
				var errs []string
				for k := 1; k < callers; k++ {
					other := of[email((i+k)%callers)]
					var err error
					if demote {
						_, err = h.s.ChangeMember(ctx, person(email(i)), "main", First, id, other, Viewer)
					} else {
						err = h.s.RemoveMember(ctx, person(email(i)), "main", First, id, other)
					}
					if c := code(err); !slices.Contains([]string{"", "missing_resource_role", "no_member"}, c) {
						errs = append(errs, c)
					}
				}
				if errs != nil {
					return fmt.Errorf("%v", errs)
				}
				return nil
			})
			if n := h.owners(id); n != 1 {
				t.Errorf("%d owners are left", n)
			}
		}
	})
}

// One name is one caller's, one member is added once, whatever comes at once.
func TestSixteenAtOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := context.Background()
		made := make(chan int, callers)
		storetest.Callers(t, callers, func(i int) error {
			_, err := h.s.Create(ctx, person(fmt.Sprintf("o%d@example.com", i)), "main", First, draft("a"))
			if err == nil {
				made <- i
				return nil
			}
			if code(err) != "agent_taken" {
				return err
			}
			return nil
		})
		if len(made) != 1 || h.owners("a") != 1 {
			t.Fatalf("%d made one thing, which has %d owners", len(made), h.owners("a"))
		}
		owner := person(fmt.Sprintf("o%d@example.com", <-made))
		added := make(chan int, callers)
		storetest.Callers(t, callers, func(i int) error {
			_, err := h.s.AddMember(ctx, owner, "main", First, "a", Member{Email: strings.ToUpper("new@example.com"[:i%3]) + "new@example.com"[i%3:], Role: Viewer})
			if err == nil {
				added <- i
			} else if code(err) != "member_taken" {
				return err
			}
			return nil
		})
		if len(added) != 1 {
			t.Errorf("one address was added %d times", len(added))
		}
		gone := make(chan int, callers)
		storetest.Callers(t, callers, func(i int) error {
			switch i % 3 {
			case 0:
				if err := h.s.Delete(ctx, owner, "main", First, "a"); err == nil {
					gone <- i
				} else if code(err) != "missing_resource_role" {
					return err
				}
			case 1:
				if _, err := h.s.Change(ctx, owner, "main", First, "a", Draft{Description: some(fmt.Sprint(i))}); err != nil && code(err) != "missing_resource_role" {
					return err
				}
			default:
				_, err := h.s.Create(ctx, owner, "main", First, draft("a"))
				if code(err) != "agent_taken" {
					return fmt.Errorf("a name that is or was in use: %w", err)
				}
			}
			return nil
		})
		if len(gone) != 1 {
			t.Errorf("it was deleted %d times", len(gone))
		}
	})
}

// Whatever members do in whatever order: there is an owner, and nobody has more
// than an owner gave.
func TestNobodyGains(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t), on{Tenant: "main"})
	ctx := context.Background()
	rapid.Check(t, func(t *rapid.T) {
		id := "p-" + h.name()
		people := []string{"a@example.com", "b@example.com", "c@example.com", "d@example.com"}
		if _, err := h.s.Create(ctx, person(people[0]), "main", First, draft(id)); err != nil {
			t.Fatal(err)
		}
		model := map[string]string{people[0]: Owner}
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			by, on := rapid.SampledFrom(people).Draw(t, "by"), rapid.SampledFrom(people).Draw(t, "on")
			role := rapid.SampledFrom([]string{Viewer, Admin, Owner}).Draw(t, "role")
			last := model[on] == Owner && owning(model) == 1
			member := h.idOf(id, on)
			var err error
			var want bool
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				_, err = h.s.AddMember(ctx, person(by), "main", First, id, Member{Email: on, Role: role})
				if want = model[by] == Owner && model[on] == ""; want {
					model[on] = role
				}
			case 1:
				_, err = h.s.ChangeMember(ctx, person(by), "main", First, id, member, role)
				if want = model[by] == Owner && model[on] != "" && (!last || role == Owner); want {
					model[on] = role
				}
			case 2:
				err = h.s.RemoveMember(ctx, person(by), "main", First, id, member)
				if want = model[by] == Owner && model[on] != "" && !last; want {
					delete(model, on)
				}
			default:
				_, err = h.s.Change(ctx, person(by), "main", First, id, Draft{Description: some(role)})
				want = rank(model[by]) >= rank(Admin)
			}
			if (err == nil) != want {
				t.Fatalf("%s on %s: %v, roles %v", by, on, err, model)
			}
			for _, p := range people {
				a, err := h.s.Get(ctx, person(p), "main", First, id)
				if a.Role != model[p] || (err == nil) != (model[p] != "") {
					t.Fatalf("%s is %q, %v; want %q", p, a.Role, err, model[p])
				}
			}
			if owning(model) == 0 {
				t.Fatal("no owner")
			}
		}
	})
}

func owning(model map[string]string) (n int) {
	for _, role := range model {
		if role == Owner {
			n++
		}
	}
	return n
}

// idOf is the id of a member, "none" where there is none.
func (h *house) idOf(id, email string) string {
	out := "none"
	_ = h.db.Read(context.Background(), func(tx *store.Tx) error {
		m, err := sameMember(tx, Agent{Tenant: "main", Collection: First, ID: id}, Member{Email: email})
		if err == nil {
			out = m.ID
		}
		return nil
	})
	return out
}

// The trail names everything that happened, and no address.
func TestTheTrail(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		alice := h.token("alice@example.com")
		h.want(201, alice, "POST /api/agents", `{"name":"a"}`)
		h.want(200, alice, "PUT /api/agents/a", `{"description":"call bob@example.com"}`)
		h.want(200, alice, "PUT /api/agents/a", `{}`)
		bob := h.add(alice, "a", "bob@example.com", "viewer")
		h.want(200, alice, "PATCH /api/agents/a/admins/"+bob, `{"role":"admin"}`)
		h.want(204, alice, "DELETE /api/agents/a/admins/"+bob, "")
		h.want(204, alice, "DELETE /api/agents/a", "")
		var got []string
		if err := h.db.Read(t.Context(), func(tx *store.Tx) (err error) {
			got, err = store.List(tx, func(r store.Row) (string, error) {
				var action, target, detail string
				err := r.Scan(&action, &target, &detail)
				if strings.Contains(detail+target, "@") {
					t.Errorf("an address: %s %s", target, detail)
				}
				return action, err
			}, `SELECT action, target, detail FROM audit_events WHERE tenant_id = 'main' AND action LIKE 'agent.%' ORDER BY n`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		want := "agent.created agent.changed agent.member_added agent.member_changed agent.member_removed agent.deleted"
		if strings.Join(got, " ") != want {
			t.Errorf("%v", got)
		}
	})
}

func TestWhatLeavesWithATenant(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		alice := h.token("alice@example.com")
		h.want(201, alice, "POST /api/agents", `{"name":"a","settings":{"k":1}}`)
		h.want(201, alice, "POST /api/projects", `{"name":"p"}`)
		e, err := h.users.Export(t.Context(), tenant.By{}, "main", h.s)
		if err != nil {
			t.Fatal(err)
		}
		list, _ := e.Parts["agents"].([]exported)
		if len(list) != 2 || list[0].Collection != "agents" || string(list[0].Settings) != `{"k":1}` || list[1].Collection != "projects" || len(list[1].Admins) != 1 || list[1].Admins[0].Email != "alice@example.com" {
			t.Errorf("%+v", list)
		}
		if e, err = h.users.Export(t.Context(), tenant.By{}, "other", h.s); err != nil || len(e.Parts["agents"].([]exported)) != 0 {
			t.Errorf("%+v, %v", e, err)
		}
	})
}

func TestImports(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		host := By{Actor: audit.Actor{Kind: audit.Host}, Host: true}
		old := time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
		run := func() (out []string) {
			if err := h.s.turn(t.Context(), "main", func(tx *store.Tx) error {
				for _, r := range []Row{{ID: "a", Description: "d", Public: true, Settings: `{"x":1}`, CreatedAt: old}, {ID: "B"}, {ID: "c", Settings: "{"}} {
					taken, err := h.s.ImportIn(tx, host, "main", First, r)
					out = append(out, fmt.Sprint(r.ID, " ", taken, " ", code(err)))
				}
				for _, r := range []MemberRow{{Agent: "a", ID: "1", Email: "Alice@example.com", Role: "owner"}, {Agent: "a", Email: "bob@example.com", Role: "viewer"},
					{Agent: "a", ID: "1", Email: "other@example.com", Role: "owner"}, {Agent: "none", Email: "x@example.com", Role: "owner"}, {Agent: "a", Email: "x@example.com", Role: "root"}} {
					taken, err := h.s.ImportMemberIn(tx, host, "main", First, r)
					out = append(out, fmt.Sprint(r.Email, " ", taken, " ", code(err)))
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			return out
		}
		first := strings.Join(run(), "; ")
		if want := "a true ; B false validation_failed; c false validation_failed; Alice@example.com true ; bob@example.com true ; other@example.com false member_id_taken; x@example.com false no_agent; x@example.com false validation_failed"; first != want {
			t.Errorf("%s", first)
		}
		if again := strings.Join(run(), "; "); strings.Contains(again, "true") {
			t.Errorf("again: %s", again)
		}
		alice := h.token("alice@example.com")
		if a := data[View](t, h.want(200, alice, "GET /api/agents/a", "")); a.Role != Owner || !a.CreatedAt.Equal(old) || string(a.Settings) != `{"x":1}` {
			t.Errorf("%+v", a)
		}
		h.want(204, alice, "DELETE /api/agents/a/admins/"+h.idOf("a", "bob@example.com"), "")
		if again := strings.Join(run(), "; "); !strings.Contains(again, "bob@example.com false member_id_taken") {
			t.Errorf("somebody who was removed came back: %s", again)
		}
		h.want(204, alice, "DELETE /api/agents/a", "")
		if again := strings.Join(run(), "; "); strings.Contains(again, "true") {
			t.Errorf("what was deleted came back: %s", again)
		}
	})
}
