-- +goose Up

-- Secret escrow: fleets of machines, and what they hand over, sealed to keys
-- whose private halves are not here. Nothing a machine sends changes or removes
-- a row of these, but for the marks of when it was last seen.

CREATE TABLE machines (
    tenant_id       TEXT    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    id              TEXT COLLATE "C"    NOT NULL,
    serial          TEXT COLLATE "C"    NOT NULL DEFAULT '', -- '' until it is known, then for ever
    hostname        TEXT    NOT NULL,            -- the first
    hostname_folded TEXT COLLATE "C"    NOT NULL,
    group_name      TEXT    NOT NULL DEFAULT '', -- as last said
    last_hostname   TEXT    NOT NULL DEFAULT '', -- as last said, where it is another
    last_run        TEXT COLLATE "C"    NOT NULL DEFAULT '',
    created_at      BIGINT NOT NULL,
    seen_at         BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE UNIQUE INDEX machines_serial ON machines (serial, tenant_id) WHERE serial <> '';
CREATE INDEX machines_hostname ON machines (hostname_folded, tenant_id);
CREATE INDEX machines_seen ON machines (tenant_id, seen_at);

-- A run as it stands, and each report of it.
CREATE TABLE machine_runs (
    tenant_id   TEXT    NOT NULL,
    machine_id  TEXT COLLATE "C"    NOT NULL,
    id          TEXT COLLATE "C"    NOT NULL,             -- the machine's own
    status      TEXT    NOT NULL,             -- running, succeeded, failed
    started_at  BIGINT NOT NULL DEFAULT 0,   -- 0: not said
    finished_at BIGINT NOT NULL DEFAULT 0,
    phases      TEXT    NOT NULL DEFAULT '[]',
    extra       TEXT    NOT NULL DEFAULT '{}',
    reports     BIGINT NOT NULL DEFAULT 1,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, machine_id, id),
    FOREIGN KEY (tenant_id, machine_id) REFERENCES machines (tenant_id, id) ON DELETE CASCADE
);

CREATE INDEX machine_runs_newest ON machine_runs (tenant_id, created_at);

CREATE TABLE machine_reports (
    tenant_id   TEXT    NOT NULL,
    machine_id  TEXT COLLATE "C"    NOT NULL,
    run_id      TEXT COLLATE "C"    NOT NULL,
    digest      TEXT COLLATE "C"    NOT NULL,             -- of what it says: the same again is the same
    report      TEXT    NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, machine_id, run_id, digest),
    FOREIGN KEY (tenant_id, machine_id, run_id) REFERENCES machine_runs (tenant_id, machine_id, id) ON DELETE CASCADE
);

-- Public keys. The one with the highest n is the current one.
CREATE TABLE escrow_keys (
    tenant_id   TEXT    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    kid         TEXT COLLATE "C"    NOT NULL,
    n           BIGINT NOT NULL,
    public_jwk  TEXT    NOT NULL,
    signer      TEXT    NOT NULL DEFAULT '',  -- thumbprint; '': an imported key that has none
    signing_jwk TEXT    NOT NULL DEFAULT '',
    signature   TEXT    NOT NULL DEFAULT '',  -- by the signer, over the key
    succession  TEXT    NOT NULL DEFAULT '',  -- by the signer of the key before
    predecessor TEXT    NOT NULL DEFAULT '',
    imported    BIGINT NOT NULL DEFAULT 0,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, kid),
    UNIQUE (tenant_id, n)
);

-- Private keys as browsers wrapped them. The highest version is the current one.
CREATE TABLE escrow_wrappings (
    tenant_id     TEXT    NOT NULL,
    kid           TEXT COLLATE "C"    NOT NULL,
    version       BIGINT NOT NULL,
    format        TEXT    NOT NULL,            -- jwe, pbkdf2-aesgcm
    wrapped       TEXT    NOT NULL,
    created_at    BIGINT NOT NULL,
    superseded_at BIGINT NOT NULL DEFAULT 0,  -- 0: the current one
    PRIMARY KEY (tenant_id, kid, version),
    FOREIGN KEY (tenant_id, kid) REFERENCES escrow_keys (tenant_id, kid) ON DELETE CASCADE
);

-- The same, sealed by a recovery key that nobody has whole.
CREATE TABLE escrow_recoveries (
    tenant_id  TEXT    NOT NULL,
    kid        TEXT COLLATE "C"    NOT NULL,
    n          BIGINT NOT NULL,
    sealed     TEXT    NOT NULL,
    share_set  TEXT    NOT NULL,
    k          BIGINT NOT NULL,
    shares     BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, kid, n),
    FOREIGN KEY (tenant_id, kid) REFERENCES escrow_keys (tenant_id, kid) ON DELETE CASCADE
);

CREATE TABLE escrow_challenges (
    tenant_id   TEXT    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    id          TEXT COLLATE "C"    NOT NULL,
    kid         TEXT COLLATE "C"    NOT NULL,
    user_id     TEXT COLLATE "C"    NOT NULL,
    digest      TEXT COLLATE "C"    NOT NULL,             -- of the bytes that only the private key's holder can know
    predecessor TEXT    NOT NULL DEFAULT '',
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

-- When somebody was handed wrappings, of which an hour has ten at most.
CREATE TABLE escrow_unwraps (
    tenant_id  TEXT    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    id         TEXT COLLATE "C"    NOT NULL,              -- of the audit event
    user_id    TEXT COLLATE "C"    NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE INDEX escrow_unwraps_user ON escrow_unwraps (tenant_id, user_id, created_at);

CREATE TABLE escrow_secrets (
    tenant_id  TEXT    NOT NULL,
    id         TEXT COLLATE "C"    NOT NULL,
    machine_id TEXT COLLATE "C"    NOT NULL,
    kind       TEXT COLLATE "C"    NOT NULL,
    label      TEXT COLLATE "C"    NOT NULL DEFAULT '',
    version    BIGINT NOT NULL,              -- among those of the machine, kind and label
    kid        TEXT COLLATE "C"    NOT NULL,
    format     TEXT    NOT NULL,              -- jwe, rsa-oaep
    ciphertext TEXT    NOT NULL,
    digest     TEXT COLLATE "C"    NOT NULL,              -- of what it says: the same again is the same
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, machine_id) REFERENCES machines (tenant_id, id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX escrow_secrets_digest ON escrow_secrets (tenant_id, machine_id, digest);
CREATE INDEX escrow_secrets_newest ON escrow_secrets (tenant_id, created_at);

-- Configurations for machines, every version of them.
CREATE TABLE machine_configs (
    tenant_id     TEXT    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name          TEXT COLLATE "C"    NOT NULL,
    version       BIGINT NOT NULL,
    latest        BIGINT NOT NULL,           -- 1: the version that counts
    match_machine TEXT    NOT NULL DEFAULT '', -- id, serial or hostname
    match_folded  TEXT    NOT NULL DEFAULT '',
    match_group   TEXT    NOT NULL DEFAULT '',
    disabled      BIGINT NOT NULL DEFAULT 0,
    config        TEXT    NOT NULL,
    created_at    BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, name, version)
);

CREATE UNIQUE INDEX machine_configs_latest ON machine_configs (tenant_id, name) WHERE latest = 1;
