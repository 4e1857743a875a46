-- +goose Up

-- How many bytes a tenant's machines have handed over on a day (unix days, UTC).
CREATE TABLE escrow_taken (
    tenant_id TEXT    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    day       BIGINT  NOT NULL,
    bytes     BIGINT  NOT NULL,
    PRIMARY KEY (tenant_id, day)
);
