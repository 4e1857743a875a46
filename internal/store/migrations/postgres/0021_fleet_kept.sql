-- +goose Up

-- How a machine's last run stands is kept by the tables themselves. In a rolling
-- update a node of the release before writes runs too, and knows nothing of the
-- columns of 0020.

-- +goose StatementBegin
CREATE FUNCTION machines_last_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE machines SET last_status = r.status, last_run_at = r.created_at FROM machine_runs r
        WHERE machines.tenant_id = NEW.tenant_id AND machines.id = NEW.id
        AND r.tenant_id = NEW.tenant_id AND r.machine_id = NEW.id AND r.id = NEW.last_run;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER machines_last_run AFTER UPDATE OF last_run ON machines FOR EACH ROW EXECUTE FUNCTION machines_last_run();

-- +goose StatementBegin
CREATE FUNCTION machine_runs_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE machines SET last_status = NEW.status
        WHERE tenant_id = NEW.tenant_id AND id = NEW.machine_id AND last_run = NEW.id;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER machine_runs_status AFTER UPDATE OF status ON machine_runs FOR EACH ROW EXECUTE FUNCTION machine_runs_status();

-- What was written so between 0020 and this.
UPDATE machines SET last_status = r.status, last_run_at = r.created_at FROM machine_runs r
    WHERE r.tenant_id = machines.tenant_id AND r.machine_id = machines.id AND r.id = machines.last_run
    AND (machines.last_status <> r.status OR machines.last_run_at <> r.created_at);
