-- +goose Up

-- Tenants, their users, and which identity is which user.

CREATE TABLE tenants (
    id         TEXT    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    rev        BIGINT  NOT NULL DEFAULT 0,  -- taken up by every write of the tenant: its writers take turns
    auto       BIGINT  NOT NULL DEFAULT 0,  -- made on first sight of a claim
    disabled   BIGINT  NOT NULL DEFAULT 0,
    settings   TEXT    NOT NULL DEFAULT '{}',
    created_at BIGINT  NOT NULL,
    updated_at BIGINT  NOT NULL
);

-- Ids that are never given again: of a tenant (id = '') and of a tenant's users.
CREATE TABLE tenant_gone (
    tenant_id  TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    gone_at    BIGINT  NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

-- One row, made at its first use: who makes tenants by claim takes turns on it.
CREATE TABLE tenant_auto (
    one        BIGINT  NOT NULL PRIMARY KEY CHECK (one = 1),
    turns      BIGINT  NOT NULL
);

CREATE TABLE users (
    tenant_id     TEXT    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    id            TEXT    NOT NULL,
    email         TEXT    NOT NULL DEFAULT '',  -- as it was written
    email_folded  TEXT    NOT NULL DEFAULT '',  -- as it is compared
    service_token TEXT    NOT NULL DEFAULT '',  -- client id of an Access service token
    name          TEXT    NOT NULL DEFAULT '',
    provider      TEXT    NOT NULL DEFAULT '',  -- bound to this identity; '' is not bound
    issuer        TEXT    NOT NULL DEFAULT '',  -- '' where the provider is configured without one
    subject       TEXT    NOT NULL DEFAULT '',
    bound_at      BIGINT  NOT NULL DEFAULT 0,
    disabled      BIGINT  NOT NULL DEFAULT 0,
    by_host       BIGINT  NOT NULL DEFAULT 0,  -- made by who answers for all tenants: counts for callers of other tenants too
    known_since   BIGINT  NOT NULL DEFAULT 0,  -- when it came to be found by what it is found by
    created_at    BIGINT  NOT NULL,
    updated_at    BIGINT  NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

-- The tenant stands last, so that they also find rows over all tenants.
CREATE UNIQUE INDEX users_email ON users (email_folded, tenant_id) WHERE email_folded <> '';
CREATE UNIQUE INDEX users_service ON users (service_token, tenant_id) WHERE service_token <> '';
CREATE UNIQUE INDEX users_bound ON users (subject, issuer, provider, tenant_id) WHERE provider <> '';
CREATE INDEX users_listed ON users (tenant_id, created_at, id);

CREATE TABLE user_roles (
    tenant_id  TEXT    NOT NULL,
    user_id    TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    created_at BIGINT  NOT NULL,
    PRIMARY KEY (tenant_id, user_id, role),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);

CREATE INDEX user_roles_role ON user_roles (tenant_id, role);
