package escrow

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// names are the hostnames, or else the names, of a list.
func names(list map[string]any) string {
	var out []string
	for _, row := range list["data"].([]any) {
		m := row.(map[string]any)
		name, ok := m["hostname"]
		if !ok {
			name = m["name"]
		}
		out = append(out, fmt.Sprint(name))
	}
	return strings.Join(out, " ")
}

func TestAFleetIsCounted(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		empty := h.want(200, h.as("viewer"), "GET /v1/fleet", "")
		if empty["machines"] != 0.0 || len(empty["groups"].([]any)) != 0 || len(empty["runsByDay"].([]any)) != 14 {
			t.Errorf("a fleet without machines: %v", empty)
		}
		b := h.onboarded("admin")
		report := func(machine, run, status string) {
			t.Helper()
			h.want(201, h.machine, "POST /v1/report", fmt.Sprintf(reportOf, machine, run, status))
		}
		h.clock.add(-10 * 24 * time.Hour)
		report(`{"hostname":"old-1","group":"lab"}`, "r1", "failed")
		h.clock.add(10 * 24 * time.Hour)
		report(`{"hostname":"pc-1","group":"lab"}`, "r1", "failed")
		report(`{"hostname":"pc-2","group":"desk"}`, "r1", "failed")
		report(`{"hostname":"pc-2","group":"desk"}`, "r2", "running")
		report(`{"hostname":"pc-3"}`, "r1", "running")
		h.want(200, h.machine, "POST /v1/report", fmt.Sprintf(reportOf, `{"hostname":"pc-3"}`, "r1", "succeeded"))
		h.want(200, h.machine, "POST /v1/report", fmt.Sprintf(reportOf, `{"hostname":"pc-2"}`, "r1", "running")) // late, of a run that ended
		h.want(201, h.machine, "POST /v1/secret", deposit("pc-4", "admin", raw(&b.rsa.PublicKey, "x")))

		f := h.want(200, h.as("member"), "GET /v1/fleet?days=11&zone=UTC", "")
		for name, want := range map[string]float64{"machines": 5, "seenDay": 4, "seenWeek": 4, "failing": 2, "running": 1, "noRun": 1, "secrets": 1} {
			if f[name] != want {
				t.Errorf("%s: %v, want %v", name, f[name], want)
			}
		}
		days := f["runsByDay"].([]any)
		first, last := days[0].(map[string]any), days[10].(map[string]any)
		if first["failed"] != 1.0 || last["failed"] != 2.0 || last["succeeded"] != 1.0 || last["running"] != 1.0 || last["day"] != h.clock.now().UTC().Format(time.DateOnly) {
			t.Errorf("runs by day: %v", days)
		}
		if g := f["groups"].([]any); len(g) != 2 || g[0].(map[string]any)["name"] != "lab" || g[0].(map[string]any)["machines"] != 2.0 {
			t.Errorf("groups: %v", g)
		}
		if seen := h.want(200, h.as("viewer"), "GET /v1/fleet?days=0", ""); seen["secrets"] != nil || len(seen["runsByDay"].([]any)) != 0 {
			t.Errorf("what a viewer is told: %v", seen)
		}
		if other := h.want(200, h.as("admin@other"), "GET /v1/fleet", ""); other["machines"] != 0.0 || other["secrets"] != 0.0 {
			t.Errorf("another tenant: %v", other)
		}
		for _, q := range []string{"days=32", "days=-1", "days=x", "zone=Local", "zone=/etc/passwd", "zone=../x", "zone=Nowhere", "zone=" + strings.Repeat("a", 65), "days=1&days=2"} {
			if got, _, text := h.ask(h.as("viewer"), "GET /v1/fleet?"+q, ""); got != 400 {
				t.Errorf("%s: %d %s", q, got, text)
			}
		}

		week := url.QueryEscape(h.clock.now().AddDate(0, 0, -7).Format(time.RFC3339))
		for query, want := range map[string]string{
			"status=failed": "pc-1 old-1", "status=running": "pc-2", "status=succeeded": "pc-3", "status=none": "pc-4", "group=lab": "pc-1 old-1", "group=none": "",
			"status=failed&group=lab&search=PC": "pc-1", "seenSince=" + week + "&status=failed": "pc-1", "seenBefore=" + week: "old-1", "search=%25": "", "search=PC-3": "pc-3",
		} {
			if got := names(h.want(200, h.as("viewer"), "GET /v1/machines?"+query, "")); got != want {
				t.Errorf("machines, %s: %q, want %q", query, got, want)
			}
		}
		for _, query := range []string{"status=odd", "seenSince=yesterday", "seenBefore=1"} {
			h.want(400, h.as("viewer"), "GET /v1/machines?"+query, "")
		}
		for query, want := range map[string]string{
			"order=worst": "pc-2 pc-1 old-1 pc-2 pc-3", "last=true&order=worst": "pc-1 old-1 pc-2 pc-3", "last=true&status=failed": "pc-1 old-1", "status=passed": "pc-3", "id=r2": "pc-2", "search=LD-": "old-1", "search=pc-3&last=true": "pc-3", "search=zz": "",
		} {
			got := names(h.want(200, h.as("viewer"), "GET /v1/runs?detail=false&"+query, ""))
			sorted := func(s string) string { return strings.NewReplacer("pc-2 pc-1", "pc-1 pc-2").Replace(s) } // of one millisecond
			if sorted(got) != sorted(want) {
				t.Errorf("runs, %s: %q, want %q", query, got, want)
			}
		}
		run := h.want(200, h.as("viewer"), "GET /v1/runs?detail=false&id=r2", "")["data"].([]any)[0].(map[string]any)
		if run["phases"] != nil || run["extra"] != nil {
			t.Errorf("detail=false: %v", run)
		}
		for _, query := range []string{"order=x", "last=1", "detail=no"} {
			h.want(400, h.as("viewer"), "GET /v1/runs?"+query, "")
		}
	})
}

// In a rolling update a node of the release before writes runs too. It knows of a
// machine's last run alone; what is counted and listed is right all the same.
func TestAFleetWithRunsOfAnOlderNode(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		const pc = `{"hostname":"pc-1"}`
		h.want(201, h.machine, "POST /v1/report", fmt.Sprintf(reportOf, pc, "r1", "succeeded"))
		older := func(query string, args ...any) {
			t.Helper()
			if err := h.db.Tx(t.Context(), func(tx *store.Tx) error { _, err := tx.Exec(query, args...); return err }); err != nil {
				t.Fatal(err)
			}
		}
		at := h.clock.now().Add(time.Minute).UnixMilli()
		stands := func(when, status string, failing, running float64) {
			t.Helper()
			f := h.want(200, h.as("viewer"), "GET /v1/fleet?days=0", "")
			if f["failing"] != failing || f["running"] != running || f["noRun"] != 0.0 {
				t.Errorf("%s: %v", when, f)
			}
			if got := names(h.want(200, h.as("viewer"), "GET /v1/machines?status="+status, "")); got != "pc-1" {
				t.Errorf("%s: machines: %q", when, got)
			}
			list := h.want(200, h.as("viewer"), "GET /v1/runs?detail=false&last=true&status="+status, "")
			if run := list["data"].([]any); len(run) != 1 || run[0].(map[string]any)["id"] != "r2" || run[0].(map[string]any)["status"] != status {
				t.Errorf("%s: runs: %v", when, list)
			}
			if err := h.db.Read(t.Context(), func(tx *store.Tx) error {
				n, err := count(tx, `SELECT COUNT(*) FROM machines WHERE last_run_at = $1`, at)
				if n != 1 {
					t.Errorf("%s: %d machines are marked with when the run was first reported", when, n)
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		older(`INSERT INTO machine_runs (tenant_id, machine_id, id, status, created_at, updated_at) SELECT tenant_id, id, 'r2', 'running', $1, $1 FROM machines`, at)
		older(`UPDATE machines SET last_run = 'r2'`)
		stands("a run began at an older node", "running", 0, 1)
		older(`UPDATE machine_runs SET status = 'failed' WHERE id = 'r2'`)
		older(`UPDATE machine_runs SET status = 'running' WHERE id = 'r1'`) // not the last one
		stands("it failed there", "failed", 1, 0)
	})
}

// Only those who may list secrets are told how many a machine has, and who
// revealed one last.
func TestSecretsOfAMachine(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := h.onboarded("admin")
		id := h.want(201, h.machine, "POST /v1/secret", deposit("PC-1", "admin", raw(&b.rsa.PublicKey, "x")))["id"].(string)
		row := func(who, line string) map[string]any {
			t.Helper()
			return h.want(200, h.as(who), line, "")["data"].([]any)[0].(map[string]any)
		}
		mac := row("member", "GET /v1/machines")
		if mac["secrets"] != 1.0 || row("viewer", "GET /v1/machines")["secrets"] != nil {
			t.Errorf("%v", mac)
		}
		line := "GET /v1/machines/" + mac["id"].(string)
		if h.want(200, h.as("member"), line, "")["secrets"] != 1.0 || h.want(200, h.as("viewer"), line, "")["secrets"] != nil {
			t.Error("a machine's own page tells otherwise")
		}
		if x := row("member", "GET /v1/secrets"); x["lastReveal"] != nil {
			t.Errorf("before anybody asked: %v", x)
		}
		h.want(200, h.as("member"), "POST /v1/secrets/"+id+"/reveal", `{"reason":"locked out"}`)
		h.says(400, "reason", h.as("admin"), "POST /v1/secrets/"+id+"/reveal", `{}`) // handed out to nobody
		got := row("admin", "GET /v1/secrets")["lastReveal"].(map[string]any)
		if got["email"] != "member@main.example" || got["at"] == nil {
			t.Errorf("%v", got)
		}
	})
}

func TestVersionsOfAConfiguration(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		admin := h.as("admin")
		h.want(201, admin, "POST /v1/configs", `{"name":"lab","match":{"group":"lab"},"config":{"n":1}}`)
		h.want(200, admin, "POST /v1/configs/lab", `{"match":{"group":"lab"},"config":{"n":2}}`)
		h.want(201, admin, "POST /v1/configs", `{"name":"pc","match":{"machine":"PC-7"},"config":{}}`)
		list := h.want(200, admin, "GET /v1/configs/lab/versions?limit=1", "")
		if v := list["data"].([]any)[0].(map[string]any); v["version"] != 2.0 || v["config"] != nil || list["pagination"].(map[string]any)["total"] != 2.0 {
			t.Errorf("%v", list)
		}
		if v := h.want(200, admin, "GET /v1/configs/lab?version=1", ""); v["config"].(map[string]any)["n"] != 1.0 || v["version"] != 1.0 {
			t.Errorf("%v", v)
		}
		for query, want := range map[string]string{"": "lab pc", "search=la": "lab", "search=pc-7": "pc", "search=_": "", "search=lab": "lab"} {
			if got := names(h.want(200, admin, "GET /v1/configs?"+query, "")); got != want {
				t.Errorf("%s: %q, want %q", query, got, want)
			}
		}
		h.want(404, admin, "GET /v1/configs/lab?version=3", "")
		h.want(404, admin, "GET /v1/configs/none/versions", "")
		h.want(404, h.as("admin@other"), "GET /v1/configs/lab/versions", "")
		for _, v := range []string{"0", "-1", "x", "99999999999"} {
			h.want(400, admin, "GET /v1/configs/lab?version="+v, "")
		}
	})
}

// What a large fleet is listed and counted by are indexes: no list reads a table
// from end to end.
func TestListsOfALargeFleetUseIndexes(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	err := db.Read(t.Context(), func(tx *store.Tx) error {
		for name, query := range map[string]string{
			"runs, the newest":  `SELECT r.id FROM machine_runs r WHERE r.tenant_id = 'a' ORDER BY r.created_at DESC LIMIT 20`,
			"runs, worst first": `SELECT r.id FROM machine_runs r WHERE r.tenant_id = 'a' ORDER BY r.status, r.created_at DESC LIMIT 20`,
			"runs of a state":   `SELECT r.id FROM machine_runs r WHERE r.tenant_id = 'a' AND r.status = 'failed' ORDER BY r.created_at DESC LIMIT 20`,
			"runs of a machine": `SELECT r.id FROM machine_runs r WHERE r.tenant_id = 'a' AND r.machine_id = 'm' ORDER BY r.created_at DESC LIMIT 20`,
			"a day":             `SELECT status, COUNT(*) FROM machine_runs WHERE tenant_id = 'a' AND created_at >= 1 AND created_at < 2 GROUP BY status`,
			"machines":          `SELECT m.hostname FROM machines m WHERE m.tenant_id = 'a' ORDER BY m.seen_at DESC LIMIT 20`,
			"failing machines":  `SELECT m.hostname FROM machines m WHERE m.tenant_id = 'a' AND m.last_status = 'failed' ORDER BY m.seen_at DESC LIMIT 20`,
			"a group":           `SELECT m.hostname FROM machines m WHERE m.tenant_id = 'a' AND m.group_name = 'lab' ORDER BY m.seen_at DESC LIMIT 20`,
		} {
			plan, err := store.List(tx, func(r store.Row) (s string, err error) {
				var a, b, c int
				return s, r.Scan(&a, &b, &c, &s)
			}, "EXPLAIN QUERY PLAN "+query)
			if err != nil {
				return err
			}
			text := strings.Join(plan, "; ")
			if !strings.Contains(text, "INDEX") || strings.Contains(text, "SCAN") || strings.Contains(text, "ORDER BY") {
				t.Errorf("%s: %s", name, text)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
