-- +goose Up

-- API keys and machine tokens. A row keeps its id for life, revoked ones too:
-- ids are never given again, and keys made by a key ask for it.

CREATE TABLE api_keys (
    tenant_id        TEXT    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    id               TEXT    NOT NULL,
    machine          BIGINT  NOT NULL,             -- 1: a machine token, of either format
    prefix           TEXT    NOT NULL,             -- of the newest secret, what may be shown of it
    name             TEXT    NOT NULL,
    scopes           TEXT    NOT NULL,             -- JSON list
    env              TEXT    NOT NULL DEFAULT '',  -- prod, test, dev; '' for tok_ tokens
    allowed_ips      TEXT    NOT NULL DEFAULT '[]',
    rate_limit       TEXT    NOT NULL DEFAULT '',  -- JSON object; '' is none
    expires_at       BIGINT  NOT NULL DEFAULT 0,   -- 0 is never
    disabled         BIGINT  NOT NULL DEFAULT 0,
    revoked_at       BIGINT  NOT NULL DEFAULT 0,   -- 0 is not
    created_at       BIGINT  NOT NULL,
    updated_at       BIGINT  NOT NULL,
    creator_kind     TEXT    NOT NULL,             -- host, user, service
    creator_user_id  TEXT    NOT NULL DEFAULT '',
    creator_provider TEXT    NOT NULL DEFAULT '',
    creator_issuer   TEXT    NOT NULL DEFAULT '',
    creator_subject  TEXT    NOT NULL DEFAULT '',
    creator_roles    TEXT    NOT NULL DEFAULT '[]', -- claimed when it made or last changed the key
    parent_key_id    TEXT    NOT NULL DEFAULT '',  -- the key that made this one
    last_used_at     BIGINT  NOT NULL DEFAULT 0,
    uses             BIGINT  NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id)
);

CREATE INDEX api_keys_listed ON api_keys (tenant_id, revoked_at, created_at, id);
CREATE INDEX api_keys_below ON api_keys (tenant_id, parent_key_id) WHERE parent_key_id <> '';

-- One row for each secret that counts or counted last: two during the grace of
-- a rotation. A revoked key has none.
CREATE TABLE api_key_secrets (
    tenant_id  TEXT    NOT NULL,
    key_id     TEXT    NOT NULL,
    hash       TEXT    NOT NULL,             -- hex SHA-256 of salt, ':' and the whole token
    salt       TEXT    NOT NULL,
    format     TEXT    NOT NULL CHECK (format IN ('prk', 'tok')),
    machine    BIGINT  NOT NULL,             -- as its key's, so that one look-up says both
    lookup     TEXT    NOT NULL,             -- prk: the 12 characters of the id; tok: the first 8 of the token
    created_at BIGINT  NOT NULL,
    expires_at BIGINT  NOT NULL DEFAULT 0,   -- end of the grace; 0 for the newest
    PRIMARY KEY (tenant_id, key_id, hash),
    FOREIGN KEY (tenant_id, key_id) REFERENCES api_keys (tenant_id, id) ON DELETE CASCADE
);

-- Found before the tenant is known. The ids of keys are unique; the prefixes of
-- machine tokens are not.
CREATE UNIQUE INDEX api_key_secrets_prk ON api_key_secrets (lookup) WHERE format = 'prk';
CREATE INDEX api_key_secrets_tok ON api_key_secrets (lookup, tenant_id, key_id) WHERE format = 'tok';
