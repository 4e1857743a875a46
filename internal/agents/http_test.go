package agents

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/fault"
)

var moments = regexp.MustCompile(`"(createdAt|updatedAt)":"[^"]*"`)

// undated takes the times out of an answer.
func undated(s string) string { return moments.ReplaceAllString(s, `"$1":"-"`) }

// TestTheOlderDocuments is what they show of this surface: the list without a
// credential, and the two errors, byte for byte.
func TestTheOlderDocuments(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		alice := h.token("alice@example.com")
		h.want(201, alice, "POST /api/agents", `{"name":"open","description":"for all","public":true}`)
		h.want(201, alice, "POST /api/agents", `{"name":"closed","description":"for few"}`)
		if got := undated(h.want(200, "", "GET /api/agents", "")); got != `{"data":[{"id":"open","name":"open","description":"for all","public":true,"createdAt":"-","updatedAt":"-"}],"meta":{"total":1,"limit":50,"offset":0}}` {
			t.Error(got)
		}
		// 401 Unauthorized: no valid authentication.
		if got := h.want(401, "", "POST /api/agents", `{"name":"x","description":"y"}`); got != anonymous {
			t.Error(got)
		}
		// 403 Forbidden: authenticated but no access.
		if got := h.want(403, h.token("bob@example.com"), "GET /api/agents/closed", ""); got != denied {
			t.Error(got)
		}
		if got := h.want(401, h.token("alice@example.com", "exp=past"), "GET /api/agents", ""); got != `{"error":{"code":"UNAUTHORIZED","message":"Token expired"}}` {
			t.Error(got)
		}
		if got := h.want(401, "not.a.token", "GET /api/agents", ""); got != anonymous {
			t.Error(got)
		}
	})
}

// The seed's own bodies stand in the answers.
func TestTheSeedsBodies(t *testing.T) {
	t.Parallel()
	for f, want := range map[*fault.Error]string{
		ErrAnonymous: anonymous, ErrDenied: denied, ErrNoTenant: denied,
		fault.New(fault.Forbidden, "cross_site", "Cross-site request refused"): denied,
		fault.New(fault.Unauthenticated, "bad_signature", ""):                  anonymous,
		fault.New(fault.TooManyRequests, "rate_limited", ""):                   `{"error":{"code":"RATE_LIMITED","message":"Rate limit exceeded"}}`,
		fault.New(fault.Internal, "x", ""):                                     `{"error":{"code":"INTERNAL_ERROR","message":"An unexpected error occurred"}}`,
		fault.New(fault.MethodNotAllowed, "x", ""):                             `{"error":{"code":"METHOD_NOT_ALLOWED","message":"Method not allowed"}}`,
		fault.New(fault.TooLarge, "x", ""):                                     `{"error":{"code":"VALIDATION_ERROR","message":"Request body is too large","details":{"field":"body","issue":"Request body is too large"}}}`,
	} {
		r := Shape(f, "req", "d1")
		if got := strings.TrimSpace(string(r.Body)); got != want || r.Status != f.Kind.Status() {
			t.Errorf("%d %s, want %s", r.Status, got, want)
		}
		if r.Header.Get("X-Portreeve-Decision") != "d1" || r.Header.Get("Cache-Control") != "no-store" || (f.Kind == fault.Unauthenticated) != (r.Header.Get("WWW-Authenticate") != "") {
			t.Errorf("%v", r.Header)
		}
	}
}

func TestTheWholeTable(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		alice, bob, carol := h.token("alice@example.com"), h.token("Bob@Example.com"), h.token("carol@example.com")
		const agent = `{"id":"support","name":"support","description":"answers","public":false,"role":"owner","settings":{"llm_model":"m","n":1.0},"createdAt":"-","updatedAt":"-"}`
		for _, base := range []string{"/api/agents", "/api/projects"} {
			var id string
			for _, step := range []struct {
				token, line, body string
				status            int
				want              string
			}{
				{alice, "POST " + base, `{"name": "support", "description": "answers", "settings": {"llm_model": "m", "n": 1.0}, "id": "other"}`, 201, `{"data":` + agent + `}`},
				{bob, "POST " + base, `{"name":"support","description":""}`, 409, `{"error":{"code":"CONFLICT","message":"The name is taken"}}`},
				{alice, "GET " + base + "/support", "", 200, `{"data":` + agent + `}`},
				{alice, "GET " + base, "", 200, `{"data":[` + agent + `],"meta":{"total":1,"limit":50,"offset":0}}`},
				{bob, "GET " + base, "", 200, `{"data":[],"meta":{"total":0,"limit":50,"offset":0}}`},
				{alice, "PUT " + base + "/support", `{"name":"support","description":"more","public":true,"settings":[1,null]}`, 200,
					`{"data":{"id":"support","name":"support","description":"more","public":true,"role":"owner","settings":[1,null],"createdAt":"-","updatedAt":"-"}}`},
				{alice, "PUT " + base + "/support", `{"public":false,"settings":null}`, 200,
					`{"data":{"id":"support","name":"support","description":"more","public":false,"role":"owner","settings":null,"createdAt":"-","updatedAt":"-"}}`},
				{alice, "POST " + base + "/support/admins", `{"email": "bob@EXAMPLE.com", "role": "viewer"}`, 201, `{"data":{"id":"ID","email":"bob@EXAMPLE.com","role":"viewer","createdAt":"-"}}`},
				{alice, "POST " + base + "/support/admins", `{"email": "BOB@example.com", "role": "owner"}`, 409, `{"error":{"code":"CONFLICT","message":"Already a member"}}`},
				{bob, "GET " + base, "", 200, `{"data":[{"id":"support","name":"support","description":"more","public":false,"role":"viewer","settings":null,"createdAt":"-","updatedAt":"-"}],"meta":{"total":1,"limit":50,"offset":0}}`},
				{bob, "GET " + base + "/support/admins", "", 403, denied},
				{alice, "PATCH " + base + "/support/admins/ID", `{"role":"admin"}`, 200, `{"data":{"id":"ID","email":"bob@EXAMPLE.com","role":"admin","createdAt":"-"}}`},
				{bob, "GET " + base + "/support/admins?sort=email&order=desc&limit=1", "", 200, `{"data":[{"id":"ID","email":"bob@EXAMPLE.com","role":"admin","createdAt":"-"}],"meta":{"total":2,"limit":1,"offset":0}}`},
				{bob, "PUT " + base + "/support", `{"description":"bob's"}`, 200, `{"data":{"id":"support","name":"support","description":"bob's","public":false,"role":"admin","settings":null,"createdAt":"-","updatedAt":"-"}}`},
				{alice, "DELETE " + base + "/support/admins/nobody", "", 404, `{"error":{"code":"NOT_FOUND","message":"Member not found"}}`},
				{alice, "PATCH " + base + "/support/admins/nobody", `{"role":"admin"}`, 404, `{"error":{"code":"NOT_FOUND","message":"Member not found"}}`},
				{bob, "DELETE " + base + "/support/admins/nobody", "", 403, denied},
				{carol, "DELETE " + base + "/support/admins/ID", "", 403, denied},
				{alice, "DELETE " + base + "/support/admins/ID", "", 204, ``},
				{bob, "GET " + base + "/support", "", 403, denied},
				{alice, "POST " + base + "/support/admins", `{"serviceToken":"0123.access","role":"admin"}`, 201, `{"data":{"id":"SVC","serviceToken":"0123.access","role":"admin","createdAt":"-"}}`},
				{alice, "DELETE " + base + "/support", "", 204, ``},
				{alice, "GET " + base + "/support", "", 403, denied},
				{alice, "POST " + base, `{"name":"support","description":"again"}`, 409, `{"error":{"code":"CONFLICT","message":"The name is taken"}}`},
			} {
				status, got := h.ask(step.token, strings.ReplaceAll(step.line, "ID", id), step.body)
				if strings.Contains(step.want, `"id":"ID"`) && id == "" {
					id = data[MemberView](t, got).ID
				}
				if strings.Contains(step.want, "SVC") {
					got = regexp.MustCompile(`adm_[0-9a-f]+`).ReplaceAllString(got, "SVC")
				}
				if got = undated(got); id != "" {
					got = strings.ReplaceAll(got, id, "ID")
				}
				if status != step.status || got != step.want {
					t.Fatalf("%s %s:\n got %d %s\nwant %d %s", step.line, step.body, status, got, step.status, step.want)
				}
			}
		}
	})
}

func TestWhatIsWrongIsSaidExactly(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		alice := h.token("alice@example.com")
		h.want(201, alice, "POST /api/agents", `{"name":"a1"}`)
		invalid := func(field, issue string) string {
			return `{"error":{"code":"VALIDATION_ERROR","message":"Validation failed","details":{"field":"` + field + `","issue":"` + issue + `"}}}`
		}
		const names = "must be lower-case letters, digits and -, at most 63, and begin with a letter or digit"
		big := `"` + strings.Repeat("x", maxSettings-2) + `"`
		for _, tt := range []struct{ line, body, want string }{
			{"POST /api/agents", ``, invalid("name", "is required")},
			{"POST /api/agents", `{"name":null}`, invalid("name", "is required")},
			{"POST /api/agents", `{"name":7}`, invalid("name", "must be a string")},
			{"POST /api/agents", `{"name":""}`, invalid("name", names)},
			{"POST /api/agents", `{"name":"-a"}`, invalid("name", names)},
			{"POST /api/agents", `{"name":"A"}`, invalid("name", names)},
			{"POST /api/agents", `{"name":"a/b"}`, invalid("name", names)},
			{"POST /api/agents", `{"name":"` + strings.Repeat("a", 64) + `"}`, invalid("name", names)},
			{"POST /api/agents", `{"name":"b","description":7}`, invalid("description", "must be a string")},
			{"POST /api/agents", `{"name":"b","description":"a\u0000b"}`, invalid("description", "must be a text of at most 2000 characters")},
			{"POST /api/agents", `{"name":"b","public":"yes"}`, invalid("public", "must be true or false")},
			{"POST /api/agents", `{"name":"b","public":null}`, invalid("public", "must be true or false")},
			{"POST /api/agents", `{"name":"b","settings":` + big[:len(big)-1] + `x"}`, invalid("settings", "must be JSON of at most 65536 bytes")},
			{"POST /api/agents", `{"name":"b","name":"c"}`, invalid("name", "stands twice in one object")},
			{"POST /api/agents", `[]`, `{"error":{"code":"VALIDATION_ERROR","message":"The request body is not a JSON object","details":{"field":"body","issue":"The request body is not a JSON object"}}}`},
			{"PUT /api/agents/a1", `{"name":"a2"}`, invalid("name", "cannot be changed: it is the id")},
			{"POST /api/agents/a1/admins", `{}`, invalid("email", "is required, or a serviceToken instead")},
			{"POST /api/agents/a1/admins", `{"email":"x","role":"viewer"}`, invalid("email", "must be an e-mail address")},
			{"POST /api/agents/a1/admins", `{"email":"a@b@c","role":"viewer"}`, invalid("email", "must be an e-mail address")},
			{"POST /api/agents/a1/admins", `{"email":"a@b.example","serviceToken":"x","role":"viewer"}`, invalid("serviceToken", "stands instead of an e-mail, not beside it")},
			{"POST /api/agents/a1/admins", `{"serviceToken":"a b","role":"viewer"}`, invalid("serviceToken", "must be 1 to 255 visible characters: the client id of an Access service token")},
			{"POST /api/agents/a1/admins", `{"email":"x@example.com","role":"Owner"}`, invalid("role", "must be owner, admin or viewer")},
			{"POST /api/agents/a1/admins", `{"email":"x@example.com"}`, invalid("role", "must be owner, admin or viewer")},
			{"GET /api/agents?limit=201", ``, invalid("limit", "must be a whole number from 1 to 200")},
			{"GET /api/agents?offset=-1", ``, invalid("offset", "must be a whole number from 0 to 1073741824")},
			{"GET /api/agents?sort=settings", ``, invalid("sort", "must be one of createdAt, id, name, updatedAt")},
			{"GET /api/agents?order=down", ``, invalid("order", "must be asc or desc")},
			{"GET /api/agents?search=a%00", ``, invalid("search", "must be at most 100 characters, without control characters")},
			{"GET /api/agents?search=%ff", ``, invalid("search", "must be at most 100 characters, without control characters")},
			{"GET /api/agents?role=boss", ``, invalid("role", "must be owner, admin, viewer or any")},
			{"GET /api/agents?role=any&role=any", ``, invalid("role", "stands more than once in the query")},
			{"GET /api/agents?search=a&search=b", ``, invalid("search", "stands more than once in the query")},
		} {
			status, got := h.ask(alice, tt.line, tt.body)
			if status != 400 || got != tt.want {
				t.Errorf("%s %.80s:\n got %d %s\nwant 400 %s", tt.line, tt.body, status, got, tt.want)
			}
		}
		if status, got := h.ask(alice, "POST /api/agents", `{"name":"big","settings":`+big+`}`); status != 201 || data[View](t, got).ID != "big" {
			t.Errorf("settings of 64 KiB: %d", status)
		}
		if status, _ := h.ask(alice, "POST /api/agents", `{"name":"huge","settings":"`+strings.Repeat("x", wholeBody)+`"}`); status != 413 {
			t.Errorf("a body that is too large: %d", status)
		}
		// Whoever has no role is told that, whatever they sent.
		bob := h.token("bob@example.com")
		for _, line := range []string{"PUT /api/agents/a1", "PUT /api/agents/none", "POST /api/agents/a1/admins", "PATCH /api/agents/none/admins/x", "GET /api/agents/a1/admins?limit=0"} {
			for _, body := range []string{`{`, `{"role":7}`, `[]`} {
				if got := h.want(403, bob, line, body); got != denied {
					t.Errorf("%s: %s", line, got)
				}
			}
		}
		if got := h.want(405, alice, "PATCH /api/agents/a1", `{}`); !strings.Contains(got, "METHOD_NOT_ALLOWED") {
			t.Error(got)
		}
	})
}

func TestLists(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		alice := h.token("alice@example.com")
		for i, d := range []string{"ÄRGER über_all", "fünf%", "plain", "PLAIN too", "!"} {
			h.want(201, alice, "POST /api/agents", fmt.Sprintf(`{"name":"a-%d","description":%q,"public":%v}`, i, d, i%2 == 0))
		}
		h.want(201, alice, "POST /api/agents", `{"name":"a1"}`)
		for query, want := range map[string]string{
			"":                  "a-0 a-1 a-2 a-3 a-4 a1/6",
			"?order=desc":       "a1 a-4 a-3 a-2 a-1 a-0/6",
			"?limit=2&offset=1": "a-1 a-2/6",
			"?sort=createdAt&order=desc&limit=1&offset=5": "a-0/6",
			"?search=%C3%A4rger":                          "a-0/1",
			"?search=PLAIN":                               "a-2 a-3/2",
			"?search=%25":                                 "a-1/1",
			"?search=_":                                   "a-0/1",
			"?search=!":                                   "a-4/1",
			"?search=A-":                                  "a-0 a-1 a-2 a-3 a-4/5",
			"?search=zzz":                                 "/0",
			"?offset=100":                                 "/6",
			"?sort=updatedAt&search=plain":                "a-2 a-3/2",
			"?role=owner":                                 "a-0 a-1 a-2 a-3 a-4 a1/6",
			"?role=any&search=1":                          "a-1 a1/2",
			"?role=admin":                                 "/0",
		} {
			body := h.want(200, alice, "GET /api/agents"+query, "")
			var names []string
			for _, v := range data[[]View](t, body) {
				names = append(names, v.ID)
			}
			_, total, _ := strings.Cut(body, `"meta":{"total":`)
			total, _, _ = strings.Cut(total, ",")
			if got := strings.Join(names, " ") + "/" + total; got != want {
				t.Errorf("%q: %s, want %s", query, got, want)
			}
		}
		h.want(201, alice, "POST /api/agents/a-1/admins", `{"email":"bob@example.com","role":"viewer"}`)
		bob := h.token("bob@example.com")
		for query, want := range map[string]int{"": 4, "?role=viewer": 1, "?role=any": 1, "?role=owner": 0} {
			if got := h.want(200, bob, "GET /api/agents"+query, ""); len(data[[]View](t, got)) != want {
				t.Errorf("%q for bob: %s", query, got)
			}
		}
		if got := h.want(200, "", "GET /api/agents", ""); len(data[[]View](t, got)) != 3 {
			t.Errorf("public ones: %s", got)
		}
	})
}

// Without a tenant there is an empty list, and everything else is refused.
func TestACallerWithoutATenant(t *testing.T) {
	eachOn(t, on{}, func(t *testing.T, h *house) {
		alice := h.token("alice@example.com")
		h.want(201, alice, "POST /api/agents", `{"name":"open","public":true}`)
		empty := `{"data":[],"meta":{"total":0,"limit":50,"offset":0}}`
		if got := h.want(200, "", "GET /api/agents", ""); got != empty {
			t.Errorf("anonymous, on a site without a tenant: %s", got)
		}
		roaming := h.token("roaming", "iss=https://second.example")
		if got := h.want(200, roaming, "GET /api/agents", ""); got != empty {
			t.Error(got)
		}
		for _, line := range everyOperation("open", "x") {
			if line == "GET /api/agents" {
				continue
			}
			if got := h.want(403, roaming, line, `{"name":"n","email":"a@b.example","role":"owner"}`); got != denied {
				t.Errorf("%s: %s", line, got)
			}
			if got := h.want(401, "", line, ""); got != anonymous {
				t.Errorf("anonymous %s: %s", line, got)
			}
		}
	})
}

func everyOperation(id, member string) []string {
	return []string{"GET /api/agents", "POST /api/agents", "GET /api/agents/" + id, "PUT /api/agents/" + id, "DELETE /api/agents/" + id,
		"GET /api/agents/" + id + "/admins", "POST /api/agents/" + id + "/admins", "PATCH /api/agents/" + id + "/admins/" + member, "DELETE /api/agents/" + id + "/admins/" + member}
}

func TestTheLimitOfHundredAMinute(t *testing.T) {
	t.Parallel()
	for limits, want := range map[string]int{"{perEndpoint: {/absent: {windowMs: 1000, max: 1}}}": 101, "{default: {windowMs: 60000, max: 3}}": 4} {
		h := newHouse(t, storeOf(t), on{Tenant: "main", Limits: limits})
		for i := 1; ; i++ {
			line := []string{"GET /api/agents", "GET /api/agents/x", "POST /api/agents"}[i%3]
			status, got := h.ask("", line, "")
			if status == 429 {
				if i != want || !strings.Contains(got, `"code":"RATE_LIMITED","message":"Rate limit exceeded","retryAfter":`) {
					t.Errorf("%s: request %d: %s", limits, i, got)
				}
				break
			}
			if i > 200 {
				t.Fatalf("%s: no end", limits)
			}
		}
		h.peer = "203.0.113.10"
		h.want(200, "", "GET /api/agents", "")
	}
}
