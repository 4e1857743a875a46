-- +goose Up

-- How the last run of a machine stands, and when it was first reported, beside the
-- mark of which run that is: what a fleet is counted and filtered by.
ALTER TABLE machines ADD COLUMN last_status TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE machines ADD COLUMN last_run_at BIGINT NOT NULL DEFAULT 0;
UPDATE machines SET last_status = r.status, last_run_at = r.created_at FROM machine_runs r
    WHERE r.tenant_id = machines.tenant_id AND r.machine_id = machines.id AND r.id = machines.last_run;

CREATE INDEX machines_state ON machines (tenant_id, last_status, seen_at);
CREATE INDEX machines_group ON machines (tenant_id, group_name, seen_at);

-- Runs of a day, of a state and of a machine. Lists of them are read from indexes
-- alone, in their order and to any depth; rows, which may be long, only for the page
-- that is shown. The first also lists the newest.
DROP INDEX machine_runs_newest;
CREATE INDEX machine_runs_day ON machine_runs (tenant_id, created_at DESC, machine_id, id, status);
CREATE INDEX machine_runs_state ON machine_runs (tenant_id, status, created_at DESC, machine_id, id);
CREATE INDEX machine_runs_machine ON machine_runs (tenant_id, machine_id, created_at DESC, id, status);

-- Who revealed a secret last: the trail has all of them, for those who may read it.
ALTER TABLE escrow_secrets ADD COLUMN revealed_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE escrow_secrets ADD COLUMN revealed_by TEXT NOT NULL DEFAULT '';
