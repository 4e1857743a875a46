-- +goose Up

-- How the last run of a machine stands, beside the mark of which run that is: what
-- a fleet is counted and filtered by.
ALTER TABLE machines ADD COLUMN last_status TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE machines SET last_status = COALESCE((SELECT r.status FROM machine_runs r
    WHERE r.tenant_id = machines.tenant_id AND r.machine_id = machines.id AND r.id = machines.last_run), '');

CREATE INDEX machines_state ON machines (tenant_id, last_status, seen_at);
CREATE INDEX machines_group ON machines (tenant_id, group_name, seen_at);

-- Runs of a day, of a state and of a machine. The first also lists the newest.
DROP INDEX machine_runs_newest;
CREATE INDEX machine_runs_day ON machine_runs (tenant_id, created_at, status);
CREATE INDEX machine_runs_state ON machine_runs (tenant_id, status, created_at DESC);
CREATE INDEX machine_runs_machine ON machine_runs (tenant_id, machine_id, created_at);

-- Who revealed a secret last: the trail has all of them, for those who may read it.
ALTER TABLE escrow_secrets ADD COLUMN revealed_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE escrow_secrets ADD COLUMN revealed_by TEXT NOT NULL DEFAULT '';
