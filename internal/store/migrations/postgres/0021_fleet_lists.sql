-- +goose Up

-- Lists of runs are read from indexes alone, in their order and to any depth; rows,
-- which may be long, only for the page that is shown. When the last run of a
-- machine was first reported stands beside its state.
ALTER TABLE machines ADD COLUMN last_run_at BIGINT NOT NULL DEFAULT 0;
UPDATE machines SET last_run_at = COALESCE((SELECT r.created_at FROM machine_runs r
    WHERE r.tenant_id = machines.tenant_id AND r.machine_id = machines.id AND r.id = machines.last_run), 0);

DROP INDEX machine_runs_day;
DROP INDEX machine_runs_state;
DROP INDEX machine_runs_machine;
CREATE INDEX machine_runs_day ON machine_runs (tenant_id, created_at DESC, machine_id, id, status);
CREATE INDEX machine_runs_state ON machine_runs (tenant_id, status, created_at DESC, machine_id, id);
CREATE INDEX machine_runs_machine ON machine_runs (tenant_id, machine_id, created_at DESC, id, status);
