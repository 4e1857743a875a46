-- +goose Up

-- Secrets of tenants, for headers of upstreams: sealed, and read by Portreeve alone.

CREATE TABLE tenant_secrets (
    tenant_id           TEXT    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    id                  TEXT    NOT NULL,            -- of this row alone: a value sealed for one that was deleted opens nowhere
    name                TEXT    NOT NULL,            -- what templates call it
    sealed              BYTEA   NOT NULL,
    in_header           BIGINT  NOT NULL,            -- 0: the value holds what no header can carry
    previous            BYTEA,                        -- the value before, sealed, during the grace of a rotation
    previous_expires_at BIGINT  NOT NULL DEFAULT 0,  -- end of that grace; 0: there is none
    metadata            TEXT    NOT NULL DEFAULT '{}',
    created_at          BIGINT  NOT NULL,
    updated_at          BIGINT  NOT NULL,
    last_used_at        BIGINT  NOT NULL DEFAULT 0,  -- 0 is never
    uses                BIGINT  NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id)
);

CREATE UNIQUE INDEX tenant_secrets_name ON tenant_secrets (tenant_id, name);
CREATE INDEX tenant_secrets_grace ON tenant_secrets (previous_expires_at) WHERE previous_expires_at <> 0;
