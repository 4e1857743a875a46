package surfaces

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/test/edge"
)

// TestBadInput sends every operation what no client should: each is answered
// with what is wrong with it, and nothing of the store has changed afterwards.
func TestBadInput(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		admin := w.admin(acme)
		w.badInput(t, func(operation) string { return admin })
	})
}

// badInput sends it by whoever may do something.
func (w *world) badInput(t *testing.T, by func(operation) string) {
	t.Helper()
	found := w.findOwn(t, by)
	before := w.rows(t, "")
	for _, o := range w.ops {
		at, who := o.at(found[o.Path]), by(o)
		if o.MaxBody > 0 {
			w.badBodies(t, o, at, who)
		}
		w.badPaths(t, o, who)
		w.badQueries(t, o, at, who)
	}
	if diff := cmp.Diff(before, w.rows(t, "")); diff != "" {
		t.Errorf("something was done all the same:\n%s", diff)
	}
	w.silent(t)
}

// findOwn finds, for each path that names something, a name of the tenant's that
// stands there.
func (w *world) findOwn(t testing.TB, by func(operation) string) map[string]string {
	t.Helper()
	out, reads := map[string]string{}, map[string]string{}
	for _, o := range w.ops {
		for _, id := range w.own[acme] {
			if o.reads() && o.names() && reads[o.Path] == "" && w.Ask(t, "GET", o.at(id), "", by(o)).Status == 200 {
				reads[o.Path] = id
			}
		}
	}
	for _, o := range w.ops {
		for path, id := range reads {
			if strings.HasPrefix(o.Path, path) {
				out[o.Path] = id
			}
		}
		if o.names() && out[o.Path] == "" {
			out[o.Path] = "nobody-at-all"
		}
	}
	return out
}

// wrong is one bad body and what is said of it.
type wrong struct {
	name, body string
	status     int
	field      string // that the details name; "" where no one field is at fault
	fields     []string
}

func (w *world) badBodies(t *testing.T, o operation, at, admin string) {
	t.Helper()
	specimen, ok := specimens()[o.String()]
	if o.byOtherRules() || slices.Contains(checkedElsewhere(), o.String()) {
		w.nonsense(t, o, at, admin)
		return
	}
	if !ok {
		t.Errorf("%s reads a body, and specimens has none", o)
		return
	}
	list := []wrong{
		{name: "no JSON", body: "name=zq9kx7wv3", status: 400},
		{name: "half of it", body: specimen[:len(specimen)-1], status: 400},
		{name: "a list", body: "[" + specimen + "]", status: 400},
		{name: "a text", body: `"zq9kx7wv3"`, status: 400},
		{name: "null", body: "null", status: 400},
		{name: "two values", body: specimen + specimen, status: 400},
		{name: "a comment", body: "/* zq9kx7wv3 */" + specimen, status: 400},
		{name: "deep", body: `{"name":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "}", status: 400},
		{name: "deep and open", body: `{"name":` + strings.Repeat(`{"a":`, int(min(5000, o.MaxBody/6))), status: 400},
		{name: "invalid UTF-8", body: replace(specimen, `":"`, "\":\"zq9kx7wv3\xff"), status: 400},
		{name: "invalid UTF-8 in a name", body: "{\"zq9kx7wv3\xff\":1," + specimen[1:], status: 400},
		{name: "a byte order mark", body: "\ufeff" + specimen, status: 400},
		{name: "a raw NUL", body: replace(specimen, `":"`, "\":\"\x00"), status: 400},
		{name: "UTF-16", body: "\xff\xfe{\x00}\x00", status: 400},
		{name: "a form", body: specimen, status: 400, fields: []string{"Content-Type: multipart/form-data; boundary=zq9kx7wv3"}},
	}
	if o.Surface == "tenantApi" && strings.HasSuffix(o.Path, "/:id/rotate") { // no text in it
		list = slices.DeleteFunc(list, func(b wrong) bool { return b.name == "invalid UTF-8" || b.name == "a raw NUL" })
	}
	if o.String() == "POST /tenant/config" {
		list = slices.DeleteFunc(list, func(b wrong) bool { return b.name == "invalid UTF-8" || b.name == "a raw NUL" })
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(specimen), &members); err != nil {
		t.Fatal(o, err)
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		list = append(list, wrong{name: name + " twice", body: `{"` + name + `":` + string(members[name]) + "," + specimen[1:], status: 400, field: name})
		for _, other := range otherTypes(members[name], name) {
			if o.Surface == "escrow" && name == "config" {
				break // any JSON is one
			}
			list = append(list, wrong{name: name + " as " + other, body: with(members, name, other), status: 400, field: name})
		}
		if name == "rateLimit" {
			for _, bad := range []string{`{}`, `{"windowMs":"zq9kx7wv3","max":1}`, `{"windowMs":1000,"max":[]}`, `{"windowMs":1000,"max":1.5}`, `{"windowMs":-1,"max":1}`, `{"windowMs":1000,"max":-1}`, `{"windowMs":1000,"max":1,"by":7}`, `{"windowMs":1000,"max":1,"by":"zq"}`} {
				list = append(list, wrong{name: name + " as " + bad, body: with(members, name, bad), status: 400, field: name})
			}
		}
		if strings.HasSuffix(o.Path, "/assign") && name == "role" { // any text may be looked for
			list = append(list, wrong{name: "much of role", body: with(members, name, `"`+strings.Repeat("a", 20000)+`"`), status: 400, field: name})
			continue
		}
		if members[name][0] == '"' && !slices.Contains(opaque(), name) {
			list = append(list, wrong{name: "NUL in " + name, body: with(members, name, `"a\u0000b"`), status: 400, field: name},
				wrong{name: "much of " + name, body: with(members, name, `"`+strings.Repeat("a", int(min(20000, o.MaxBody-500)))+`"`), status: 400, field: name})
		}
	}
	for _, b := range list {
		a, what := w.Ask(t, o.Method, at, b.body, append([]string{admin}, b.fields...)...), o.String()+" with "+b.name
		w.decent(t, what, a)
		w.told(t, what, a, b)
	}
	w.tooLarge(t, o, at, admin)
}

// nonsense is what no operation takes, whatever it takes.
func (w *world) nonsense(t *testing.T, o operation, at, admin string) {
	t.Helper()
	for name, body := range map[string]string{"no JSON": "name=zq9kx7wv3", "half of it": `{"code":`, "a list": "[]", "a text": `"zq9kx7wv3"`, "two values": "{}{}",
		"deep": `{"code":` + strings.Repeat("[", 5000), "invalid UTF-8": "{\"code\":\"zq9kx7wv3\xff\"}", "a name twice": `{"code":"1","code":"2"}`} {
		a, what := w.Ask(t, o.Method, at, body, admin), o.String()+" with "+name
		w.decent(t, what, a)
		if a.Status < 400 || a.Status >= 500 || strings.Contains(a.Body, "zq9kx7wv3") {
			t.Errorf("%s: %d %s", what, a.Status, a.Body)
		}
	}
	w.tooLarge(t, o, at, admin)
}

// opaque are members whose text is the caller's own business.
func opaque() []string { return []string{"value", "newValue"} }

// otherTypes are values that a member cannot be: it is of another type.
func otherTypes(value json.RawMessage, name string) (out []string) {
	kinds := map[byte]string{'"': `"zq9kx7wv3"`, '{': `{"zq9kx7wv3":1}`, '[': `["zq9kx7wv3"]`, '0': `7`, 't': `true`}
	kind := value[0]
	switch {
	case kind >= '0' && kind <= '9':
		kind = '0'
		out = append(out, `1.5`, `1e400`, `-1`, `99999999999999999999`)
	case kind == 'f':
		kind = 't'
	case kind == '[':
		out = append(out, `[7]`, `[{}]`, `[[]]`, `[true]`)
	}
	for _, k := range slices.Sorted(maps.Keys(kinds)) {
		if k != kind {
			out = append(out, kinds[k])
		}
	}
	return out
}

// with is the specimen with another value for a member.
func with(members map[string]json.RawMessage, name, value string) string {
	parts := []string{`"` + name + `":` + value}
	for _, k := range slices.Sorted(maps.Keys(members)) {
		if k != name {
			parts = append(parts, `"`+k+`":`+string(members[k]))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// told holds an answer to what a bad body is to be answered.
func (w *world) told(t *testing.T, what string, a edge.Answer, b wrong) {
	t.Helper()
	if a.Status != b.status {
		t.Errorf("%s: %d %s", what, a.Status, a.Body)
		return
	}
	said := edge.Decode[struct {
		Error, Message string
		Details        []struct{ Field, Issue string }
	}](t, a)
	if said.Error != "Bad Request" || said.Message == "" || strings.Contains(a.Body, "zq9kx7wv3") && !strings.HasPrefix(b.field, "rateLimit") && !strings.Contains(b.body, `{"zq9kx7wv3":1}`) {
		t.Errorf("%s: %s", what, a.Body)
	}
	if b.field == "" {
		return
	}
	for _, d := range said.Details {
		if d.Issue != "" && (d.Field == b.field || strings.HasPrefix(d.Field, b.field+".") || strings.HasPrefix(d.Field, b.field+"[")) {
			return
		}
	}
	t.Errorf("%s: the details do not name %s: %s", what, b.field, a.Body)
}

// tooLarge sends more than the operation reads, and more than any surface does.
func (w *world) tooLarge(t *testing.T, o operation, at, admin string) {
	t.Helper()
	for _, size := range []int64{o.MaxBody + 1, 10<<20 + 1} {
		c, err := net.Dial("tcp", w.Addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		go func() { // the server need not read to the end
			_, _ = fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: x\r\n%s\r\nContent-Length: %d\r\n\r\n{\"name\":\"", o.Method, at, admin, size)
			_, _ = io.CopyN(c, endless('a'), size-9)
		}()
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Errorf("%s with %d bytes: %v", o, size, err)
		} else if body, _ := io.ReadAll(res.Body); res.StatusCode != 413 || !strings.Contains(string(body), `"Payload Too Large"`) {
			t.Errorf("%s with %d bytes: %d %s", o, size, res.StatusCode, body)
		}
		_ = c.Close()
	}
}

// endless is one byte for ever.
type endless byte

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(e)
	}
	return len(p), nil
}

// badPaths names what does not exist, and what cannot.
func (w *world) badPaths(t *testing.T, o operation, admin string) {
	t.Helper()
	if !o.names() {
		return
	}
	for id, want := range map[string][]int{
		"nobody-at-all": {404}, "usr_00000000000000000000000000000000": {404}, "key_00000000000000000000000000000000": {404},
		"%20": {404, 400}, "%E2%98%83": {404, 400}, "'%20OR%20'1'='1": {404, 400}, "%25": {404, 400}, "_": {404, 400}, strings.Repeat("a", 129): {404, 400}, strings.Repeat("a", 5000): {404, 400},
		"%00": {400}, "a%00b": {400}, "%FF": {400}, "a%0Ab": {400}, "%2e%2e": {400}, "%C0%AE": {400}, "a%2Fb": {400}, "%zz": {400},
	} {
		a, what := w.raw(t, o.Method, o.at(id), o.named(), admin), o.Method+" "+o.at(id)
		if len(what) > 120 {
			what = what[:120]
		}
		if !slices.Contains(want, a.Status) {
			t.Errorf("%s: %d %s", what, a.Status, a.Body)
		}
		if word := holds(whole(a), w.never); word != "" {
			t.Errorf("%s: the answer holds %q: %s", what, word, a.Body)
		}
	}
}

// badQueries asks for pages and times that are none.
func (w *world) badQueries(t *testing.T, o operation, at, admin string) {
	t.Helper()
	if !o.reads() {
		return
	}
	for _, q := range []string{"limit=0", "limit=-1", "limit=101000", "limit=x", "limit=1&limit=2", "limit=", "limit=9223372036854775808", "offset=-1", "offset=x", "offset=1&offset=1",
		"period=zq9kx7wv3", "period=2026-13", "period=", "from=zq9kx7wv3", "to=2026", "bucket=week", "revoked=zq9kx7wv3", "limit=%00", "offset=%FF", "period=%00", "from=%00", "bucket=%00", "%00=1", "zq9kx7wv3=%zz"} {
		target := at + "?" + q
		if o.String() == "GET /v1/tenant/key" {
			target += "&wrappings=false" // with them it is counted, and ten times an hour
		}
		a, what := w.raw(t, o.Method, target, "", admin), o.String()+"?"+q
		if a.Status != 200 && a.Status != 400 && !(o.byOtherRules() && a.Status < 500) {
			t.Errorf("%s: %d %s", what, a.Status, a.Body)
		}
		if word := holds(whole(a), append(w.never, "zq9kx7wv3")); word != "" {
			t.Errorf("%s: the answer holds %q: %s", what, word, a.Body)
		}
		name, _, _ := strings.Cut(q, "=")
		if takes := w.takes(o, name); takes && a.Status != 400 {
			t.Errorf("%s: %d %s", what, a.Status, a.Body)
		}
	}
}

// takes reports whether an operation reads a parameter of its query.
func (w *world) takes(o operation, name string) bool {
	switch name {
	case "limit", "offset":
		return o.Surface == "escrow" && slices.Contains([]string{"/v1/machines", "/v1/runs", "/v1/secrets", "/v1/configs", "/v1/audit"}, o.Path) || o.Path == "/rbac/roles" || o.Path == "/rbac/permissions" || o.Path == "/tenant/rbac/roles" || o.Path == "/tenant/users" || o.Path == "/tenant/api-keys" || o.Path == "/tenant/machine-tokens" || o.Path == "/tenant/secrets"
	case "revoked":
		return o.Path == "/tenant/api-keys" || o.Path == "/tenant/machine-tokens"
	case "period":
		return o.Path == "/usage/history"
	case "from", "to", "bucket":
		return o.Path == "/tenant/api-keys/:id/usage" || o.Path == "/v1/audit" && name != "bucket" && name != "to"
	}
	return false
}

// raw sends a target as it is written, which the client's library might mend.
func (w *world) raw(t testing.TB, method, target, body string, fields ...string) edge.Answer {
	t.Helper()
	c, err := net.Dial("tcp", w.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	head := method + " " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n"
	if _, err := io.WriteString(c, head+strings.Join(fields, "\r\n")+"\r\n\r\n"+body); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("%s %.100s: %v", method, target, err)
	}
	raw, _ := io.ReadAll(res.Body)
	return edge.Answer{Status: res.StatusCode, Header: res.Header, Body: string(raw)}
}
