package migrate

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/agents"
	"github.com/portreeve/portreeve/internal/audit/audittest"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// agentDump is a dump of the agents API's database: what its documents query is
// agent_admins (agent_id, email, role).
const agentDump = `CREATE TABLE agents (id TEXT PRIMARY KEY, name TEXT, description TEXT, public INTEGER, settings TEXT, created_at TEXT);
INSERT INTO agents VALUES('support','support','answers',1,'{"llm_model":"m"}','2024-01-01');
INSERT INTO agents VALUES('sales','Sales team',NULL,0,NULL,'2024-01-01');
INSERT INTO agents VALUES('Bad Name','x','',0,NULL,'2024-01-01');
INSERT INTO agents VALUES('broken','broken','',0,'{','2024-01-01');
CREATE TABLE agent_admins (agent_id TEXT, email TEXT, role TEXT);
INSERT INTO agent_admins VALUES('support','Alice@Example.com','owner');
INSERT INTO agent_admins VALUES('support','bob@example.com','viewer');
INSERT INTO agent_admins VALUES('support','alice@example.com','viewer');
INSERT INTO agent_admins VALUES('sales','carol@example.com','admin');
INSERT INTO agent_admins VALUES('sales','dave@example.com','boss');
INSERT INTO agent_admins VALUES('missing','x@example.com','owner');
`

func TestADumpOfAgentsIsImported(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		d := importer(t, db)
		d.Agents, d.Tenant = agents.New(agents.Deps{DB: db, Audit: audittest.New(t, db), Log: slog.New(slog.DiscardHandler)}), "main"
		if r, err := d.Import(t.Context(), []byte(agentDump), false); err != nil || r.Changed || !strings.Contains(r.text(), "its tenant is neither taken nor in the store") {
			t.Errorf("without a tenant: %s %v", r.text(), err)
		}
		if err := d.Tenants.Ensure(t.Context(), "main"); err != nil {
			t.Fatal(err)
		}
		dry, err := d.Import(t.Context(), []byte(agentDump), true)
		if err != nil || !dry.Changed {
			t.Fatal(err)
		}
		r, err := d.Import(t.Context(), []byte(agentDump), false)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "agents.report.txt", r.text())
		if dry.DryRun = false; !cmp.Equal(dry, r) {
			t.Errorf("a dry run says something else:\n%s", cmp.Diff(dry, r))
		}
		var got []string
		read := func() {
			if err := db.Read(t.Context(), func(tx *store.Tx) (err error) {
				got, err = store.List(tx, func(row store.Row) (s string, err error) { return s, row.Scan(&s) },
					`SELECT agent_id || ' ' || email || ' ' || role || ' ' || id FROM agent_admins WHERE tenant_id = 'main' ORDER BY agent_id, email_folded`)
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		read()
		before := got
		if len(got) != 3 || !strings.HasPrefix(got[1], "support Alice@Example.com owner adm_") {
			t.Errorf("%v", got)
		}
		again, err := d.Import(t.Context(), []byte(agentDump), false)
		if read(); err != nil || again.Changed || cmp.Diff(before, got) != "" {
			t.Errorf("a second run: %s %v", again.text(), err)
		}
	})
}

// Ids and service tokens, where the rows have them, and tenants of their own.
func TestAgentsWithIdsAreImported(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	d := importer(t, db)
	d.Agents, d.Tenant = agents.New(agents.Deps{DB: db, Audit: audittest.New(t, db)}), "main"
	r, err := d.Import(t.Context(), []byte(`INSERT INTO tenants (id,name) VALUES ('acme','Acme');
INSERT INTO agents (tenant_id,id) VALUES ('acme','a');
INSERT INTO agent_admins (id,tenant_id,agent_id,service_token,role) VALUES (7,'acme','a','0123.access','owner');`), false)
	if err != nil || len(r.Took) != 3 || len(r.Left) != 0 {
		t.Fatalf("%s %v", r.text(), err)
	}
	if err := db.Read(t.Context(), func(tx *store.Tx) error {
		var id, token string
		if err := tx.Row(`SELECT id, service_token FROM agent_admins WHERE tenant_id = 'acme'`).Scan(&id, &token); err != nil || id != "7" || token != "0123.access" {
			t.Errorf("%s %s %v", id, token, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
