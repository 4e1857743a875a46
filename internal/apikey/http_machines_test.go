package apikey

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

const machineTokens = "/tenant/machine-tokens"

// TestAMachineTokensLife is what the operations make of one, from its making to
// its end.
func TestAMachineTokensLife(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		ann := person("ann", "admin")
		status, made, err := k.call(ann, "POST", machineTokens, `{"name": "engine one", "allowedIPs": ["10.0.0.0/8"]}`)
		if err != nil || status != 201 {
			t.Fatalf("%d, %v", status, err)
		}
		if d := cmp.Diff([]string{"allowedIPs", "createdAt", "expiresAt", "id", "name", "prefix", "rateLimit", "token"}, members(made)); d != "" {
			t.Error(d)
		}
		id, _ := made["id"].(string)
		first, _ := made["token"].(string)
		if made["expiresAt"] != nil || !strings.HasPrefix(first, "tok_") || made["prefix"] != first[:tokenPrefix] {
			t.Errorf("%v", made)
		}
		wantErr(t, "the token", k.use(first), nil)

		key := k.create(ann, draft("docs:read"))
		_, list, err := k.call(ann, "GET", machineTokens, "")
		data, _ := list["data"].([]any)
		if err != nil || len(data) != 1 || data[0].(map[string]any)["id"] != id {
			t.Fatalf("%v, %v", list, err)
		}
		if b, _ := json.Marshal(list); strings.Contains(string(b), first[tokenPrefix:]) || strings.Contains(string(b), "hash") || strings.Contains(string(b), "salt") {
			t.Errorf("a list tells secrets: %s", b)
		}
		for query, want := range map[string][]any{"?machine=true": {id}, "?machine=false": {key.ID}, "": {key.ID, id}} {
			_, list, err := k.call(ann, "GET", "/tenant/api-keys"+query, "")
			var ids []any
			for _, one := range list["data"].([]any) {
				ids = append(ids, one.(map[string]any)["id"])
			}
			if total := list["pagination"].(map[string]any)["total"]; err != nil || len(ids) != len(want) || total != float64(len(want)) {
				t.Errorf("%s lists %v of %v, %v", query, ids, total, err)
			}
		}

		status, rotated, err := k.call(ann, "POST", machineTokens+"/"+id+"/rotate", `{"gracePeriodSeconds":60}`)
		if err != nil || status != 200 || rotated["id"] != id {
			t.Fatalf("%d, %v, %v", status, rotated, err)
		}
		second, _ := rotated["token"].(string)
		wantErr(t, "the one before, in its grace", k.use(first), nil)
		wantErr(t, "the new one", k.use(second), nil)
		k.advance(time.Minute)
		wantErr(t, "the one before, after it", k.use(first), ErrExpired)

		if status, _, err := k.call(ann, "DELETE", machineTokens+"/"+id, ""); err != nil || status != 204 {
			t.Fatalf("%d, %v", status, err)
		}
		wantErr(t, "a revoked one", k.use(second), ErrUnknown)
		_, _, err = k.call(ann, "GET", machineTokens+"/"+id, "")
		wantErr(t, "reading it", err, ErrNoMachine)
		if _, list, err = k.call(ann, "GET", machineTokens+"?revoked=true", ""); err != nil || len(list["data"].([]any)) != 1 {
			t.Errorf("%v, %v", list, err)
		}
		for _, action := range []string{"machine.created", "machine.rotated", "machine.revoked"} {
			if n := k.count(`SELECT COUNT(*) FROM audit_events WHERE tenant_id = 'a' AND action = $1 AND target = $2`, action, id); n != 1 {
				t.Errorf("%d events %s", n, action)
			}
		}
	})
}

// TestNobodyGivesAMachineWhatTheyDoNotHold: neither by a new token nor by one that
// a rotation tells.
func TestNobodyGivesAMachineWhatTheyDoNotHold(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		m, err := k.s.Create(t.Context(), host(), "a", Draft{Name: set("engine"), Machine: true})
		if err != nil {
			t.Fatal(err)
		}
		eve := person("eve", "keeper")
		_, _, err = k.call(eve, "POST", machineTokens, `{"name":"x"}`)
		wantCode(t, "a new one", err, fault.Forbidden, "")
		_, _, err = k.call(eve, "POST", machineTokens+"/"+m.ID+"/rotate", "")
		wantCode(t, "a rotation", err, fault.Forbidden, "")
		_, _, err = k.call(k.asKey(k.create(person("ann", "admin"), draft("apikeys:*", "docs:read")).Token.Reveal()), "POST", machineTokens, `{"name":"x"}`)
		wantCode(t, "by a key that ingests nothing", err, fault.Forbidden, "")
		if status, _, err := k.call(eve, "DELETE", machineTokens+"/"+m.ID, ""); err != nil || status != 204 {
			t.Errorf("revoking gives nothing away: %d, %v", status, err)
		}
	})
}

// TestAMachineTokenIsNoKeyAndNobodyElses: ids of keys and of another tenant's
// tokens are not found.
func TestAMachineTokenIsNoKeyAndNobodyElses(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		ann := person("ann", "admin")
		key := k.create(ann, draft("docs:read"))
		other, err := k.s.Create(t.Context(), host(), "b", Draft{Name: set("engine"), Machine: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{key.ID, other.ID, "mch_none", "%20"} {
			for _, what := range []string{"GET ", "DELETE ", "POST /rotate"} {
				method, rest, _ := strings.Cut(what, " ")
				_, _, err := k.call(ann, method, machineTokens+"/"+id+rest, "")
				wantErr(t, what+" "+id, err, ErrNoMachine)
			}
		}
		wantErr(t, "the key", k.use(key.Token.Reveal()), nil)
		wantErr(t, "the other's", k.use(other.Token.Reveal()), nil)
	})
}

func TestAMachineTokensBadRequests(t *testing.T) {
	t.Parallel()
	k := newKit(t, storetest.SQLiteURL(t))
	ann := person("ann", "admin")
	for body, field := range map[string]string{
		``: "name", `{"name":""}`: "name", `{"name":"x","scopes":["machine:ingest"]}`: "scopes",
		`{"name":"x","expiresAt":"yesterday"}`: "expiresAt", `{"name":"x","allowedIPs":["here"]}`: "allowedIPs[0]",
	} {
		_, _, err := k.call(ann, "POST", machineTokens, body)
		wantCode(t, body, err, fault.BadRequest, field)
	}
	for _, target := range []string{machineTokens + "?limit=0", machineTokens + "?revoked=perhaps", "/tenant/api-keys?machine=perhaps"} {
		_, _, err := k.call(ann, "GET", target, "")
		wantCode(t, target, err, fault.BadRequest, "")
	}
}

// TestManyEndAMachineTokenAtOnce: one does, the others find none.
func TestManyEndAMachineTokenAtOnce(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		ann := person("ann", "admin")
		_, made, err := k.call(ann, "POST", machineTokens, `{"name":"engine"}`)
		if err != nil {
			t.Fatal(err)
		}
		id, _ := made["id"].(string)
		storetest.Callers(t, callers, func(int) error {
			_, _, err := k.call(ann, "DELETE", machineTokens+"/"+id, "")
			if errors.Is(err, ErrNoMachine) {
				return nil
			}
			return err
		})
		if n := k.count(`SELECT COUNT(*) FROM audit_events WHERE action = 'machine.revoked' AND target = $1`, id); n != 1 {
			t.Errorf("revoked %d times", n)
		}
	})
}
