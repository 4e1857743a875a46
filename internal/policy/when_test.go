package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"cel.dev/cel-go/interpreter"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
)

func num(s string) json.Number { return json.Number(s) }

// when is a route with one condition.
func when(t testing.TB, expr string) loaded {
	t.Helper()
	q, err := json.Marshal(expr)
	if err != nil {
		t.Fatal(err)
	}
	return load(t, editors+"\nroute: {when: "+string(q)+"}")
}

// CEL quotes the keys that it misses and the texts that it cannot convert.
func TestAFailedConditionQuotesNoSecret(t *testing.T) {
	t.Parallel()
	for _, expr := range []string{
		`{"a": 1}[request.headers["x-api-key"]] > 0`,
		`timestamp(auth.claims.token) > now`,
		`auth.sub == "alice" && {"a": 1}[request.headers["authorization"]] > 0`,
	} {
		l := when(t, expr)
		if l.problems != "" {
			t.Fatal(l.problems)
		}
		view := get("/", "x-api-key: hunter2", "authorization: Bearer hunter2")
		code, steps := l.ask(t, alice(claims("token", "hunter2")), view, nil)
		stand := l.book.Stand(alice(claims("token", "hunter2")), l.tenants, nil)
		f := l.req.Check(Input{View: view, Standing: &stand, Now: noon}, nil)
		if code != "condition_error" || strings.Contains(failed(steps)+f.Error(), "hunter2") {
			t.Errorf("%s: %s\n%s\n%v", expr, code, failed(steps), f)
		}
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	noEmail := func(p *principal.Principal) { p.EmailVerified = false }
	const no, bad = "condition_failed", "condition_error"
	for expr, c := range map[string]struct {
		who    *principal.Principal
		view   *request.View
		params params
		want   string
	}{
		`auth.email == "alice@example.com"`:                            {},
		`auth.email.endsWith("@example.com")`:                          {who: alice(noEmail), want: bad},
		`has(auth.email)`:                                              {who: alice(noEmail), want: no},
		`!has(auth.email) || auth.email_domain == "example.com"`:       {who: alice(noEmail)},
		`"editor" in auth.roles && auth.role == "viewer"`:              {who: alice(roles("viewer", "editor"))},
		`auth.roles.exists(r, r.startsWith("ed"))`:                     {who: alice(roles("editor"))},
		`"docs:*" in auth.permissions`:                                 {who: alice(roles("editor"))},
		`auth.tenant_id == params.tenant`:                              {params: params{"tenant": "main"}},
		`auth.tenant_id == params["tenant"]`:                           {params: params{"tenant": "other"}, want: no},
		`auth.tenant_id != "x" `:                                       {who: alice(func(p *principal.Principal) { p.Provider, p.ProviderKind, p.SharedSecret = "entra", "oidc", false }), want: bad},
		`params.id == "7"`:                                             {want: bad}, // the router gave none
		`auth.claims.level >= 3`:                                       {who: alice(claims("level", num("3")))},
		`auth.claims.level > 2.5`:                                      {who: alice(claims("level", num("3")))},
		`auth.claims.level == 3`:                                       {who: alice(claims("level", num("3.0")))},
		`auth.claims.level < 3`:                                        {who: alice(claims("level", "2")), want: bad},
		`auth.claims.level != 3`:                                       {who: alice(), want: bad},
		`!(auth.claims.banned == true)`:                                {who: alice(), want: bad},
		`!has(auth.claims.banned)`:                                     {who: alice()},
		`auth.claims["https://x/org"].id == "a"`:                       {who: alice(claims("https://x/org", map[string]any{"id": "a"}))},
		`auth.claims.org.id == "a"`:                                    {who: alice(claims("org", "a")), want: bad},
		`auth.claims.a == auth.claims.b`:                               {who: alice(claims("a", num("9223372036854775808"), "b", num("9223372036854775809"))), want: bad},
		`auth.claims.list[1] == 2 `:                                    {who: alice(claims("list", []any{num("1"), num("2")}))},
		`auth.claims.list[2] == 2`:                                     {who: alice(claims("list", []any{num("1"), num("2")})), want: bad},
		`auth.claims.huge > 1`:                                         {who: alice(claims("huge", num("1e999"))), want: bad},
		`auth.claims.none == null`:                                     {who: alice(claims("none", nil))},
		`auth.claims.flag == true`:                                     {who: alice(claims("flag", true))},
		`auth.claims.flag == true && auth.sub == "alice"`:              {who: alice(claims("flag", "true")), want: no},
		`dyn(auth.claims.flag) ? true : false`:                         {who: alice(claims("flag", "yes")), want: bad},
		`request.method == "GET" && request.host == "api.example.com"`: {},
		`request.path == "/docs/7" && request.scheme == "https"`:       {view: get("/docs/7")},
		`request.ip == "192.0.2.7"`:                                    {},
		`request.ip != "198.51.100.1"`:                                 {view: &request.View{}, want: bad},
		`request.headers["x-env"] == "test"`:                           {view: get("/", "X-Env: test")},
		`request.headers.host == "a"`:                                  {view: get("/"), want: bad},
		`request.headers["x-env"] == "test" || true`:                   {view: get("/", "X-Env: test", "x-ENV: prod"), want: no},
		`query.v == "a b"`:                                             {view: get("/?v=a+b")},
		`query.v == "1"`:                                               {view: get("/?v=1&v=2"), want: no},
		`query["v"] == "1" `:                                           {view: get("/?v=1&%76=1"), want: no},
		`!("admin" in query)`:                                          {view: get("/?admin=1&admin=2"), want: no},
		`query.v == "1" && true`:                                       {view: get("/?v=1&other=2&other=3")},
		`query.all(k, query[k] == "1")`:                                {view: get("/?v=1&w=1&w=1"), want: no},
		`query.all(k, query[k] == "1") `:                               {view: get("/?v=1&w=1")},
		`now < timestamp("2026-11-21T00:00:00Z")`:                      {},
		`now.getHours() >= 8 && now.getHours() < 12`:                   {want: no},
		`auth.expires - now <= duration("1h")`:                         {},
		`now - auth.auth_time < duration("5m")`:                        {want: bad}, // the token does not say
		`request.path.matches("^/docs/[0-9]+$")`:                       {view: get("/docs/7")},
		`matches(request.path, "^/docs/[0-9]+$")`:                      {view: get("/docs/x"), want: no},
		`auth.claims.dept.matches("^eng")`:                             {who: alice(claims("dept", "engine room"))},
		`auth.claims.dept.matches("^eng") || true`:                     {who: alice(claims("dept", num("1")))},
		`1 / (size(auth.scopes)) > 0`:                                  {want: bad},
	} {
		t.Run(expr, func(t *testing.T) {
			t.Parallel()
			l := when(t, expr)
			if l.problems != "" {
				t.Fatal(l.problems)
			}
			if c.who == nil {
				c.who = alice()
			}
			if c.view == nil {
				c.view = get("/")
			}
			got, steps := l.ask(t, c.who, c.view, c.params)
			if got != c.want {
				t.Errorf("got %q, want %q\n%s", got, c.want, failed(steps))
			}
			if got != "" && failed(steps) == "" {
				t.Error("refused without a word")
			}
		})
	}
}

func TestConditionsThatDoNotLoad(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]string{
		`auth.emial == "x"`:                           `column 5 of the condition: "emial" is no field of auth or request; did you mean "email"?`,
		`auth.department == "x"`:                      `a claim is read as auth.claims.department`,
		`atuh.sub == "x"`:                             "column 1 of the condition: undeclared reference to 'atuh'",
		`auth.sub == 1`:                               "column 10 of the condition: found no matching overload for '_==_' applied to '(string, int)'",
		"true &&\n  auth.sub == 1":                    "line 2 of the condition, column 12: ",
		`auth.sub ==`:                                 "Syntax error",
		`auth.sub = "x"`:                              "column 10 of the condition: a single = is no comparison; write ==",
		`user.sub == "x"`:                             "there are auth, request, params, query and now",
		`auth.roles == "x"`:                           `a list is asked with in: "x" in auth.roles`,
		`auth.sub`:                                    "the condition must be true or false and is of type string",
		`auth.claims.admin`:                           "write == true for a claim",
		`params.nosuch == "x"`:                        `the path has no parameter "nosuch"`,
		`"nosuch" in params`:                          `the path has no parameter "nosuch"`,
		`params["tenat"] == "x"`:                      `did you mean "tenant"?`,
		`request.headers["X-Env"] == "x"`:             `header names are in lower case here: request.headers["x-env"]`,
		`request.path.matches(query.pattern)`:         "the pattern of matches must be written out",
		`matches(request.path, auth.sub)`:             "the pattern of matches must be written out",
		`request.path.matches("a" + "b")`:             "the pattern of matches must be written out",
		`request.path.matches("(")`:                   "column 22 of the condition: invalid matches argument",
		`request.path.matches("(a?){1000}")`:          "regex",
		`auth == auth`:                                "auth is not a value by itself",
		`[request].size() == 1`:                       "request is not a value by itself",
		`portreeve.Auth{sub: "root"}.sub == "root"`:   "cannot make a portreeve.Auth",
		`now < timestamp("tomorrow")`:                 "column 17 of the condition: invalid timestamp argument",
		`now - now < duration("soon")`:                "invalid duration argument",
		`[1].all(a, [1].all(b, [1].all(c, a+b+c>0)))`: "nest",
		`now()`: "undeclared reference",
		strings.Repeat("(", 200) + "true" + strings.Repeat(")", 200): "recursion",
		strings.Repeat("true && ", 1000) + "true":                    "size",
	} {
		t.Run(expr[:min(len(expr), 40)], func(t *testing.T) {
			t.Parallel()
			got := when(t, expr).problems
			if !strings.Contains(got, want) || !strings.Contains(got, "route.when: ") {
				t.Errorf("got\n%s\nwant %s", got, want)
			}
		})
	}
}

func TestAConditionHasABudget(t *testing.T) {
	t.Parallel()
	l := when(t, `auth.groups.all(a, auth.groups.all(b, a == b))`)
	who := alice(func(p *principal.Principal) { p.Groups = make([]string, 2000) })
	stand := l.book.Stand(who, l.tenants, nil)
	began := time.Now()
	f := l.req.Check(Input{View: get("/"), Standing: &stand, Now: noon}, nil)
	if f == nil || f.Kind != fault.Forbidden {
		t.Fatalf("four million comparisons: %v", f)
	}
	var cancelled interpreter.EvalCancelledError
	if !errors.As(f, &cancelled) || cancelled.Cause != interpreter.CostLimitExceeded {
		t.Errorf("stopped by %v, want the cost limit", f)
	}
	if spent := time.Since(began); spent > 2*time.Second {
		t.Errorf("it took %v to stop", spent)
	}
	if code, steps := l.ask(t, who, get("/"), nil); code == "" || !strings.Contains(failed(steps), "cost limit") {
		t.Errorf("%q: the trace does not say so:\n%s", code, failed(steps))
	}
}

func TestARegularExpressionReadsABoundedText(t *testing.T) {
	t.Parallel()
	for _, expr := range []string{
		`request.headers["x-long"].matches("(a?){100}b?")`,
		`matches(request.headers["x-long"], "(a?){100}b?")`,
		`dyn(request.headers["x-long"]).matches("(a?){100}b?")`,
	} {
		l := when(t, expr)
		if l.problems != "" {
			t.Fatal(l.problems)
		}
		if got, steps := l.ask(t, alice(), get("/", "X-Long: "+strings.Repeat("a", maxPatternInput)), nil); got != "" {
			t.Errorf("%s: the longest text: %q\n%s", expr, got, failed(steps))
		}
		if got, _ := l.ask(t, alice(), get("/", "X-Long: "+strings.Repeat("a", maxPatternInput+1)), nil); got != "condition_error" {
			t.Errorf("%s: one byte more: %q", expr, got)
		}
	}
}

func TestConditionsSeeWhatTheRouterSaw(t *testing.T) {
	t.Parallel()
	l := when(t, `request.path == "/docs/7" && request.ip == "192.0.2.7"`)
	v := get("/docs/7")
	v.Target = "/docs/%37"
	v.Client = netip.MustParseAddr("::ffff:192.0.2.7")
	if got, steps := l.ask(t, alice(), v, nil); got != "" {
		t.Errorf("%q\n%s", got, failed(steps))
	}
}

func FuzzCondition(f *testing.F) {
	for _, s := range []string{
		`auth.sub == "a"`, `has(auth.claims.x) && auth.claims.x.y[0] > 1`, `request.path.matches("^/a")`,
		`query.a == "1" || params.id in ["1", "2"]`, `[1,2].exists(x, x > 1)`, `{"a": 1}["a"] == 1`,
		`now > timestamp("2020-01-01T00:00:00Z")`, `"\u0000" == b"\x00"`, `auth.roles.map(r, r + "x").size() > 0`,
	} {
		f.Add(s)
	}
	who := alice(roles("editor"), claims("x", map[string]any{"y": []any{num("2")}}))
	l := mustLoad(f, editors)
	stand := l.book.Stand(who, l.tenants, nil)
	f.Fuzz(func(t *testing.T, s string) {
		e, problems := compileExpression(s, []string{"id"})
		if (e == nil) == (len(problems) == 0) {
			t.Fatalf("compiled %v with problems %v", e != nil, problems)
		}
		if e == nil {
			return
		}
		in := Input{View: get("/a?a=1&a=2", "X: y"), Standing: &stand, Params: params{"id": "1"}, Now: noon}
		if got := fmt.Sprint(whenCheck{e}.check(in, nil)); got != fmt.Sprint(whenCheck{e}.check(in, nil)) {
			t.Fatal("decided twice, differently")
		}
	})
}
