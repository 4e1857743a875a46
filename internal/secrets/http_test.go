package secrets

import (
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// call runs an operation of the service as tenant a's administrator.
func (r *room) call(t *testing.T, method, path, body string) (status int, text string) {
	t.Helper()
	for _, route := range r.Routes() {
		if route.Method != method || route.Path != path {
			continue
		}
		reply, err := route.Op.Run(t.Context(), &gateway.Call{View: &request.View{ID: "r1"}, Params: &gateway.Params{}, Tenant: "a", Body: []byte(body),
			Actor: func() audit.Actor { return audit.Actor{Kind: "user", ID: "anna"} }})
		if err != nil {
			f := fault.From(err)
			text := f.Text()
			for _, d := range f.Details {
				text += "; " + d.Field + " " + d.Issue
			}
			return f.Kind.Status(), text
		}
		return reply.Status, string(reply.Body)
	}
	t.Fatalf("no %s %s", method, path)
	return 0, ""
}

func TestHowSecretsLook(t *testing.T) {
	t.Parallel()
	r := open(t, storetest.SQLite(t))
	for _, tt := range []struct {
		method, path, body string
		status             int
		holds              []string
	}{
		{"POST", "/tenant/secrets", `{"key":"K","value":"hidden","metadata":{"a":1}}`, 201, []string{`{"key":"K","createdAt":"20`, `"lastUsedAt":null,"uses":0,"metadata":{"a":1},"usableInHeaders":true}`}},
		{"POST", "/tenant/secrets", `{"key":"K","value":"hidden"}`, 409, []string{"rotate it"}},
		{"POST", "/tenant/secrets", `{"value":"hidden"}`, 400, []string{"Validation failed; key must be"}},
		{"POST", "/tenant/secrets", `{"key":"K","value":["hidden"]}`, 400, []string{"value must be a string"}},
		{"POST", "/tenant/secrets", `{"key":"rotate","value":"hidden\n"}`, 201, []string{`"usableInHeaders":false`}},
		{"POST", "/tenant/secrets/rotate", `{"key":"K","newValue":"hidden2","gracePeriodDays":3}`, 200, []string{`"previousExpiresAt":"20`}},
		{"POST", "/tenant/secrets/rotate", `{"key":"K","newValue":"hidden2","gracePeriodDays":1.5}`, 400, []string{"gracePeriodDays must be a whole number"}},
		{"POST", "/tenant/secrets/rotate", `{"key":"X","newValue":"hidden2"}`, 404, nil},
		{"GET", "/tenant/secrets", ``, 200, []string{`{"data":[{"key":"K"`, `{"key":"rotate"`, `"pagination":{"limit":20,"offset":0,"total":2}`}},
		{"DELETE", "/tenant/secrets/rotate", ``, 204, nil},
		{"DELETE", "/tenant/secrets/rotate", ``, 404, nil},
		{"GET", "/tenant/secrets", ``, 200, []string{`"total":1`}},
	} {
		status, text := r.call(t, tt.method, tt.path, tt.body)
		if status != tt.status {
			t.Errorf("%s %s %s: %d %s", tt.method, tt.path, tt.body, status, text)
		}
		for _, s := range tt.holds {
			if !strings.Contains(text, s) {
				t.Errorf("%s %s %s: %s, without %s", tt.method, tt.path, tt.body, text, s)
			}
		}
		if strings.Contains(text, "hidden") {
			t.Errorf("%s %s tells a value: %s", tt.method, tt.path, text)
		}
	}
	for _, route := range r.Routes() {
		if route.Public || !route.Op.Tenant || len(route.Require.RequiredPermissions) != 1 {
			t.Errorf("%s %s asks for nothing", route.Method, route.Path)
		}
	}
}
