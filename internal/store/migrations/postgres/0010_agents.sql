-- +goose Up

-- Things that people share, by collection ("agents" first), and who has which
-- role on each.

CREATE TABLE agents (
    tenant_id   TEXT    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    collection  TEXT    NOT NULL,
    id          TEXT COLLATE "C"    NOT NULL,             -- its name too
    description TEXT    NOT NULL DEFAULT '',
    public      BIGINT NOT NULL DEFAULT 0,    -- listed to whoever may list at all
    settings    TEXT    NOT NULL DEFAULT '{}', -- any JSON
    sought      TEXT    NOT NULL DEFAULT '',   -- in lower case, what a search looks through
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, collection, id)
);

-- One row for each member. It is known by one of an e-mail, a service token and
-- an identity.
CREATE TABLE agent_admins (
    tenant_id     TEXT    NOT NULL,
    collection    TEXT    NOT NULL,
    agent_id      TEXT    NOT NULL,
    id            TEXT COLLATE "C"    NOT NULL,
    email         TEXT    NOT NULL DEFAULT '',  -- as it was written
    email_folded  TEXT COLLATE "C"    NOT NULL DEFAULT '',  -- as it is compared
    service_token TEXT COLLATE "C"    NOT NULL DEFAULT '',  -- client id of an Access service token
    provider      TEXT    NOT NULL DEFAULT '',  -- of an identity
    issuer        TEXT    NOT NULL DEFAULT '',  -- '' where the provider is configured without one
    subject       TEXT    NOT NULL DEFAULT '',
    role          TEXT    NOT NULL,             -- owner, admin, viewer
    created_at    BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, collection, agent_id, id),
    FOREIGN KEY (tenant_id, collection, agent_id) REFERENCES agents (tenant_id, collection, id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX agent_admins_email ON agent_admins (email_folded, tenant_id, collection, agent_id) WHERE email_folded <> '';
CREATE UNIQUE INDEX agent_admins_service ON agent_admins (service_token, tenant_id, collection, agent_id) WHERE service_token <> '';
CREATE UNIQUE INDEX agent_admins_subject ON agent_admins (subject, issuer, provider, tenant_id, collection, agent_id) WHERE provider <> '';

-- Ids that are never given again: of a thing (id = '') and of its members.
CREATE TABLE agent_gone (
    tenant_id   TEXT    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    collection  TEXT    NOT NULL,
    agent_id    TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    gone_at     BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, collection, agent_id, id)
);

-- What sites without authentication made of the one thing that they have. It is
-- no row of agents: one of the same name belongs to somebody.
CREATE TABLE agent_defaults (
    tenant_id   TEXT    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    collection  TEXT    NOT NULL,
    description TEXT    NOT NULL DEFAULT '',
    settings    TEXT    NOT NULL DEFAULT '{}',
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, collection)
);
