-- +goose Up

-- The hostnames that a machine has had besides its first. A sealed secret says
-- inside its envelope whose it is, by one of them: it has to be known still when
-- the machine is called otherwise.
CREATE TABLE machine_names (
    tenant_id  TEXT    NOT NULL,
    machine_id TEXT COLLATE "C" NOT NULL,
    name       TEXT    NOT NULL,
    folded     TEXT COLLATE "C" NOT NULL,
    created_at BIGINT  NOT NULL,
    PRIMARY KEY (tenant_id, machine_id, folded),
    FOREIGN KEY (tenant_id, machine_id) REFERENCES machines (tenant_id, id) ON DELETE CASCADE
);
