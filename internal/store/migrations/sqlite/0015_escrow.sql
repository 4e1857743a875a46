-- +goose Up

-- Secret escrow: fleets of machines, and what they hand over, sealed to keys
-- whose private halves are not here. Nothing a machine sends changes or removes
-- a row of these, but for the marks of when it was last seen.

CREATE TABLE machines (
    tenant_id       TEXT    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    id              TEXT    NOT NULL,
    serial          TEXT    NOT NULL DEFAULT '', -- '' until it is known, then for ever
    hostname        TEXT    NOT NULL,            -- the first
    hostname_folded TEXT    NOT NULL,
    group_name      TEXT    NOT NULL DEFAULT '', -- as last said
    last_hostname   TEXT    NOT NULL DEFAULT '', -- as last said, where it is another
    last_run        TEXT    NOT NULL DEFAULT '',
    created_at      INTEGER NOT NULL,
    seen_at         INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT;

CREATE UNIQUE INDEX machines_serial ON machines (serial, tenant_id) WHERE serial <> '';
CREATE INDEX machines_hostname ON machines (hostname_folded, tenant_id);
CREATE INDEX machines_seen ON machines (tenant_id, seen_at);

-- A run as it stands, and each report of it.
CREATE TABLE machine_runs (
    tenant_id   TEXT    NOT NULL,
    machine_id  TEXT    NOT NULL,
    id          TEXT    NOT NULL,             -- the machine's own
    status      TEXT    NOT NULL,             -- running, succeeded, failed
    started_at  INTEGER NOT NULL DEFAULT 0,   -- 0: not said
    finished_at INTEGER NOT NULL DEFAULT 0,
    phases      TEXT    NOT NULL DEFAULT '[]',
    extra       TEXT    NOT NULL DEFAULT '{}',
    reports     INTEGER NOT NULL DEFAULT 1,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, machine_id, id),
    FOREIGN KEY (tenant_id, machine_id) REFERENCES machines (tenant_id, id) ON DELETE CASCADE
) STRICT;

CREATE INDEX machine_runs_newest ON machine_runs (tenant_id, created_at);

CREATE TABLE machine_reports (
    tenant_id   TEXT    NOT NULL,
    machine_id  TEXT    NOT NULL,
    run_id      TEXT    NOT NULL,
    digest      TEXT    NOT NULL,             -- of what it says: the same again is the same
    report      TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, machine_id, run_id, digest),
    FOREIGN KEY (tenant_id, machine_id, run_id) REFERENCES machine_runs (tenant_id, machine_id, id) ON DELETE CASCADE
) STRICT;

-- Public keys. The one with the highest n is the current one.
CREATE TABLE escrow_keys (
    tenant_id   TEXT    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    kid         TEXT    NOT NULL,
    n           INTEGER NOT NULL,
    public_jwk  TEXT    NOT NULL,
    signer      TEXT    NOT NULL DEFAULT '',  -- thumbprint; '': an imported key that has none
    signing_jwk TEXT    NOT NULL DEFAULT '',
    signature   TEXT    NOT NULL DEFAULT '',  -- by the signer, over the key
    succession  TEXT    NOT NULL DEFAULT '',  -- by the signer of the key before
    predecessor TEXT    NOT NULL DEFAULT '',
    imported    INTEGER NOT NULL DEFAULT 0,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, kid),
    UNIQUE (tenant_id, n)
) STRICT;

-- Private keys as browsers wrapped them. The highest version is the current one.
CREATE TABLE escrow_wrappings (
    tenant_id     TEXT    NOT NULL,
    kid           TEXT    NOT NULL,
    version       INTEGER NOT NULL,
    format        TEXT    NOT NULL,            -- jwe, pbkdf2-aesgcm
    wrapped       TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    superseded_at INTEGER NOT NULL DEFAULT 0,  -- 0: the current one
    PRIMARY KEY (tenant_id, kid, version),
    FOREIGN KEY (tenant_id, kid) REFERENCES escrow_keys (tenant_id, kid) ON DELETE CASCADE
) STRICT;

-- The same, sealed by a recovery key that nobody has whole.
CREATE TABLE escrow_recoveries (
    tenant_id  TEXT    NOT NULL,
    kid        TEXT    NOT NULL,
    n          INTEGER NOT NULL,
    sealed     TEXT    NOT NULL,
    share_set  TEXT    NOT NULL,
    k          INTEGER NOT NULL,
    shares     INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, kid, n),
    FOREIGN KEY (tenant_id, kid) REFERENCES escrow_keys (tenant_id, kid) ON DELETE CASCADE
) STRICT;

CREATE TABLE escrow_challenges (
    tenant_id   TEXT    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    id          TEXT    NOT NULL,
    kid         TEXT    NOT NULL,
    user_id     TEXT    NOT NULL,
    digest      TEXT    NOT NULL,             -- of the bytes that only the private key's holder can know
    predecessor TEXT    NOT NULL DEFAULT '',
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT;

-- When somebody was handed wrappings, of which an hour has ten at most.
CREATE TABLE escrow_unwraps (
    tenant_id  TEXT    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    id         TEXT    NOT NULL,              -- of the audit event
    user_id    TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT;

CREATE INDEX escrow_unwraps_user ON escrow_unwraps (tenant_id, user_id, created_at);

CREATE TABLE escrow_secrets (
    tenant_id  TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    machine_id TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    label      TEXT    NOT NULL DEFAULT '',
    version    INTEGER NOT NULL,              -- among those of the machine, kind and label
    kid        TEXT    NOT NULL,
    format     TEXT    NOT NULL,              -- jwe, rsa-oaep
    ciphertext TEXT    NOT NULL,
    digest     TEXT    NOT NULL,              -- of what it says: the same again is the same
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, machine_id) REFERENCES machines (tenant_id, id) ON DELETE CASCADE
) STRICT;

CREATE UNIQUE INDEX escrow_secrets_digest ON escrow_secrets (tenant_id, machine_id, digest);
CREATE INDEX escrow_secrets_newest ON escrow_secrets (tenant_id, created_at);

-- Configurations for machines, every version of them.
CREATE TABLE machine_configs (
    tenant_id     TEXT    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name          TEXT    NOT NULL,
    version       INTEGER NOT NULL,
    latest        INTEGER NOT NULL,           -- 1: the version that counts
    match_machine TEXT    NOT NULL DEFAULT '', -- id, serial or hostname
    match_folded  TEXT    NOT NULL DEFAULT '',
    match_group   TEXT    NOT NULL DEFAULT '',
    disabled      INTEGER NOT NULL DEFAULT 0,
    config        TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, name, version)
) STRICT;

CREATE UNIQUE INDEX machine_configs_latest ON machine_configs (tenant_id, name) WHERE latest = 1;
