package apikey

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// call sends a request to the operation that its method and path lead to.
func (k *kit) call(by By, method, target, body string) (status int, answer map[string]any, err error) {
	k.t.Helper()
	path, query, _ := strings.Cut(target, "?")
	id := ""
	if words := strings.SplitN(path, "/", 5); len(words) > 3 {
		id, words[3] = words[3], ":id"
		path = strings.Join(words, "/")
	}
	for _, r := range k.s.Routes() {
		if r.Method != method || r.Path != path {
			continue
		}
		reply, err := r.Op.Run(k.t.Context(), &gateway.Call{
			View: &request.View{ID: "req-1", Method: method, Query: query, HasQuery: query != ""}, Params: gateway.ParamsOf("id", id),
			Who: by.Standing.Who, Standing: by.Standing, Tenant: by.Standing.Tenant, Body: []byte(body),
			Now: k.now(), Actor: func() audit.Actor { return by.Actor },
		})
		if err == nil && len(reply.Body) > 0 {
			if err := json.Unmarshal(reply.Body, &answer); err != nil {
				k.t.Fatal(err)
			}
		}
		return reply.Status, answer, err
	}
	k.t.Fatalf("%s is not answered with %s", path, method)
	return 0, nil, nil
}

func members(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

// TestTheOlderDocuments is the exchange that they show, byte for byte of the
// request.
func TestTheOlderDocuments(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		status, got, err := k.call(person("ann", "admin"), "POST", "/tenant/api-keys", `{"name": "Production API", "scopes": ["*"]}`)
		if err != nil || status != 201 {
			t.Fatalf("%d, %v", status, err)
		}
		want := []string{"allowedIPs", "createdAt", "expiresAt", "id", "key", "name", "prefix", "rateLimit", "scopes"}
		if d := cmp.Diff(want, members(got)); d != "" {
			t.Error(d)
		}
		if got["name"] != "Production API" || cmp.Diff([]any{"*"}, got["scopes"]) != "" || got["expiresAt"] != "2027-11-21T12:00:00Z" {
			t.Errorf("%v", got)
		}
		key, _ := got["key"].(string)
		if prefix, _ := got["prefix"].(string); !documented.MatchString(key) || !strings.HasPrefix(key, prefix+"_") {
			t.Errorf("prefix %v", got["prefix"])
		}
		wantErr(t, "the key", k.use(key), nil)
	})
}

func TestTheWholeTable(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		ann := person("ann", "admin")
		_, made, err := k.call(ann, "POST", "/tenant/api-keys",
			`{"name":"a","scopes":["docs:read"],"expiresAt":null,"allowedIPs":["10.0.0.0/8","192.0.2.7"],"rateLimit":{"windowMs":60000,"max":100}}`)
		if err != nil {
			t.Fatal(err)
		}
		id, _ := made["id"].(string)
		first, _ := made["key"].(string)
		k.advance(time.Second)

		status, got, err := k.call(ann, "GET", "/tenant/api-keys/"+id, "")
		if err != nil || status != 200 {
			t.Fatalf("%d, %v", status, err)
		}
		want := map[string]any{
			"id": id, "prefix": made["prefix"], "name": "a", "scopes": []any{"docs:read"}, "disabled": false,
			"createdAt": "2026-11-21T12:00:00Z", "updatedAt": "2026-11-21T12:00:00Z", "expiresAt": nil,
			"allowedIPs": []any{"10.0.0.0/8", "192.0.2.7"}, "rateLimit": map[string]any{"windowMs": 60000.0, "max": 100.0},
			"lastUsedAt": nil, "usage": 0.0, "createdBy": map[string]any{"kind": "user", "provider": "jwt", "subject": "ann"},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		status, got, err = k.call(ann, "PATCH", "/tenant/api-keys/"+id, `{"name":"b","disabled":true,"allowedIPs":[],"rateLimit":null,"unknown":1}`)
		if err != nil || status != 200 || got["name"] != "b" || got["disabled"] != true || len(got["allowedIPs"].([]any)) != 0 || got["rateLimit"] != nil {
			t.Errorf("%d %v %v", status, got, err)
		}
		if _, _, err := k.call(ann, "PATCH", "/tenant/api-keys/"+id, `{"disabled":false}`); err != nil {
			t.Error(err)
		}

		status, got, err = k.call(ann, "POST", "/tenant/api-keys/"+id+"/rotate", `{"gracePeriodSeconds":3600}`)
		if err != nil || status != 200 || got["id"] != id || got["previousExpiresAt"] != "2026-11-21T13:00:01Z" {
			t.Errorf("%d %v %v", status, got, err)
		}
		if d := cmp.Diff([]string{"id", "key", "name", "prefix", "previousExpiresAt", "scopes"}, members(got)); d != "" {
			t.Error(d)
		}
		second, _ := got["key"].(string)
		status, got, err = k.call(ann, "POST", "/tenant/api-keys/"+id+"/rotate", "")
		if err != nil || status != 200 || got["previousExpiresAt"] != "2026-11-21T12:00:01Z" {
			t.Errorf("%d %v %v", status, got, err)
		}
		third, _ := got["key"].(string)
		for token, want := range map[string]error{first: ErrUnknown, second: ErrUnknown, third: nil} {
			wantErr(t, "a secret", k.use(token), want)
		}

		status, got, err = k.call(ann, "GET", "/tenant/api-keys?limit=1", "")
		if err != nil || status != 200 {
			t.Fatalf("%d, %v", status, err)
		}
		if d := cmp.Diff(map[string]any{"limit": 1.0, "offset": 0.0, "total": 1.0}, got["pagination"]); d != "" {
			t.Error(d)
		}
		b, _ := json.Marshal(got)
		for _, never := range []string{first[20:], third[20:], `"key"`, "hash", "salt"} {
			if strings.Contains(string(b), never) {
				t.Errorf("a list holds %q", never)
			}
		}
		status, _, err = k.call(ann, "DELETE", "/tenant/api-keys/"+id, "")
		if err != nil || status != 204 {
			t.Errorf("%d, %v", status, err)
		}
		wantErr(t, "a revoked key", k.use(third), ErrUnknown)
		for method, path := range map[string]string{"GET": "", "PATCH": "", "DELETE": "", "POST": "/rotate"} {
			_, _, err := k.call(ann, method, "/tenant/api-keys/"+id+path, `{"name":"x"}`)
			wantCode(t, method, err, fault.NotFound, "")
		}
		_, got, err = k.call(ann, "GET", "/tenant/api-keys?revoked=true", "")
		if data, _ := got["data"].([]any); err != nil || len(data) != 1 || data[0].(map[string]any)["revokedAt"] != "2026-11-21T12:00:01Z" {
			t.Errorf("%v, %v", got, err)
		}
	})
}

func TestBadRequestsNameTheField(t *testing.T) {
	t.Parallel()
	k := newKit(t, storetest.SQLiteURL(t))
	ann := person("ann", "admin")
	m := k.create(ann, draft("docs:read"))
	for _, tt := range []struct{ method, path, body, field string }{
		{"POST", "", ``, "name"},
		{"POST", "", `{"name":1,"scopes":["*"]}`, "name"},
		{"POST", "", `{"name":"a","scopes":"*"}`, "scopes"},
		{"POST", "", `{"name":"a","scopes":null}`, "scopes"},
		{"POST", "", `{"name":"a","scopes":["*"],"expiresAt":7}`, "expiresAt"},
		{"POST", "", `{"name":"a","scopes":["*"],"rateLimit":{"windowMs":"1m","max":1}}`, "rateLimit.windowMs"},
		{"POST", "", `{"name":"a","scopes":["*"],"rateLimit":{"windowMs":1000,"max":1,"by":"ip"}}`, "rateLimit.by"},
		{"PATCH", "/" + m.ID, `{}`, "name"},
		{"PATCH", "/" + m.ID, `{"disabled":null}`, "disabled"},
		{"PATCH", "/" + m.ID, `{"scopes":["platform:*"]}`, "scopes[0]"},
		{"POST", "/" + m.ID + "/rotate", `{"gracePeriodSeconds":-1}`, "gracePeriodSeconds"},
		{"POST", "/" + m.ID + "/rotate", `{"gracePeriodSeconds":2592001}`, "gracePeriodSeconds"},
		{"POST", "/" + m.ID + "/rotate", `{"gracePeriodSeconds":"1h"}`, "gracePeriodSeconds"},
		{"GET", "?limit=0", ``, "limit"},
		{"GET", "?revoked=perhaps", ``, "revoked"},
		{"GET", "?state=lost", ``, "state"},
		{"GET", "?search=" + strings.Repeat("x", 201), ``, "search"},
	} {
		_, _, err := k.call(ann, tt.method, "/tenant/api-keys"+tt.path, tt.body)
		wantCode(t, tt.method+" "+tt.body, err, fault.BadRequest, tt.field)
	}
	_, _, err := k.call(person("eve", "keeper"), "POST", "/tenant/api-keys", `{"name":"a","scopes":["docs:read"]}`)
	wantCode(t, "a scope that she does not hold", err, fault.Forbidden, "")
}

// TestAListIsSoughtThrough: by state, and by a part of what a key is called.
func TestAListIsSoughtThrough(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		ann := person("ann", "admin")
		make := func(name, more string) string {
			_, made, err := k.call(ann, "POST", "/tenant/api-keys", `{"name":"`+name+`","scopes":["docs:read"]`+more+`}`)
			if err != nil {
				t.Fatal(err)
			}
			return made["id"].(string)
		}
		ids := map[string]string{
			"plain": make("Billing 100%", ""), "short": make("billing_import", `,"expiresAt":"2026-11-21T13:00:00Z"`), "off": make("Crawler", ""), "gone": make("Billing of old", ""),
			"never": make("Ünder", `,"expiresAt":null`),
		}
		for _, c := range []struct{ method, id, body string }{{"PATCH", ids["off"], `{"disabled":true}`}, {"PATCH", ids["short"], `{"disabled":true}`}, {"DELETE", ids["gone"], ""}} {
			if _, _, err := k.call(ann, c.method, "/tenant/api-keys/"+c.id, c.body); err != nil {
				t.Fatal(err)
			}
		}
		k.advance(2 * time.Hour)
		for query, want := range map[string][]string{
			"": {"never", "off", "plain", "short"}, "state=active": {"never", "plain"}, "state=disabled": {"off"}, "state=expired": {"short"}, "state=revoked": {"gone"},
			"search=BILLING": {"plain", "short"}, "search=100%25": {"plain"}, "search=_": {"never", "off", "plain", "short"}, "search=g_i": {"short"}, "search=%25": {"plain"}, "search=!": {},
			"search=%20crawl%20&state=active": {}, "search=%20crawl%20": {"off"}, "search=bill&state=revoked": {"gone"},
			"search=" + ids["off"]: {"off"}, "search=%27%20OR%201=1--": {}, "search=nder": {"never"},
		} {
			_, list, err := k.call(ann, "GET", "/tenant/api-keys?"+query, "")
			if err != nil {
				t.Fatalf("%s: %v", query, err)
			}
			var got []string
			for _, one := range list["data"].([]any) {
				for name, id := range ids {
					if id == one.(map[string]any)["id"] {
						got = append(got, name)
					}
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%q lists %v, want %v", query, got, want)
			}
			if total := list["pagination"].(map[string]any)["total"]; !strings.Contains(query, "limit") && total != float64(len(want)) {
				t.Errorf("%q counts %v", query, total)
			}
		}
	})
}
