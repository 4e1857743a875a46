-- +goose Up

-- Second factors. A person is a digest of provider, issuer and subject, so that
-- one without a users row has factors too, and nobody's name stands here.

CREATE TABLE mfa_people (
    tenant_id    TEXT    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    person       TEXT    NOT NULL,
    rev          INTEGER NOT NULL DEFAULT 0,    -- taken up by every write: a person's writers take turns
    handle       TEXT    NOT NULL,              -- what authenticators know the person by: random
    code_key     BLOB,                          -- sealed: what backup codes are hashed under
    codes        BLOB,                          -- sealed: new backup codes, until they are shown
    codes_until  INTEGER NOT NULL DEFAULT 0,
    wrong        TEXT    NOT NULL DEFAULT '[]', -- when codes were wrong lately
    lock_level   INTEGER NOT NULL DEFAULT 0,    -- how often that came to a lock
    locked_until INTEGER NOT NULL DEFAULT 0,
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, person)
) STRICT;

CREATE TABLE mfa_totp (
    tenant_id      TEXT    NOT NULL,
    person         TEXT    NOT NULL,
    id             TEXT    NOT NULL,
    secret         BLOB    NOT NULL,            -- sealed
    bound          TEXT    NOT NULL,            -- the credential that set it up
    verified_until INTEGER NOT NULL DEFAULT 0,  -- until when it may be enabled without another code
    enabled_at     INTEGER NOT NULL DEFAULT 0,  -- 0: pending
    last_step      INTEGER NOT NULL DEFAULT 0,  -- no code of this step or an earlier one counts any more
    created_at     INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, person),
    FOREIGN KEY (tenant_id, person) REFERENCES mfa_people (tenant_id, person) ON DELETE CASCADE
) STRICT;

CREATE TABLE mfa_backup_codes (
    tenant_id TEXT    NOT NULL,
    person    TEXT    NOT NULL,
    digest    TEXT    NOT NULL,
    used_at   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, person, digest),
    FOREIGN KEY (tenant_id, person) REFERENCES mfa_people (tenant_id, person) ON DELETE CASCADE
) STRICT;

CREATE TABLE mfa_passkeys (
    tenant_id     TEXT    NOT NULL,
    person        TEXT    NOT NULL,
    id            TEXT    NOT NULL,
    rp            TEXT    NOT NULL,             -- the host that it is for
    credential_id TEXT    NOT NULL,
    credential    TEXT    NOT NULL,             -- public key, counter, flags
    name          TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    last_used_at  INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, person, id),
    FOREIGN KEY (tenant_id, person) REFERENCES mfa_people (tenant_id, person) ON DELETE CASCADE
) STRICT;

CREATE UNIQUE INDEX mfa_passkeys_credential ON mfa_passkeys (tenant_id, rp, credential_id);

-- What an authenticator was asked to sign. Each serves once.
CREATE TABLE mfa_challenges (
    tenant_id  TEXT    NOT NULL,
    person     TEXT    NOT NULL,
    digest     TEXT    NOT NULL,
    kind       TEXT    NOT NULL,                -- register | login
    bound      TEXT    NOT NULL,                -- the credential that asked for it
    session    TEXT    NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, person, digest),
    FOREIGN KEY (tenant_id, person) REFERENCES mfa_people (tenant_id, person) ON DELETE CASCADE
) STRICT;

CREATE INDEX mfa_challenges_end ON mfa_challenges (expires_at);

-- Step-up tokens, by their digest.
CREATE TABLE mfa_step_ups (
    tenant_id  TEXT    NOT NULL,
    digest     TEXT    NOT NULL,
    person     TEXT    NOT NULL,
    user_id    TEXT    NOT NULL DEFAULT '',     -- the users row at that time; '': there was none
    site       TEXT    NOT NULL,
    bound      TEXT    NOT NULL,                -- the session, else the credential
    factor     TEXT    NOT NULL,                -- totp | passkey | backup
    factor_id  TEXT    NOT NULL,                -- which of them
    granted_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, digest),
    FOREIGN KEY (tenant_id, person) REFERENCES mfa_people (tenant_id, person) ON DELETE CASCADE
) STRICT;

CREATE INDEX mfa_step_ups_person ON mfa_step_ups (tenant_id, person);
CREATE INDEX mfa_step_ups_bound ON mfa_step_ups (tenant_id, bound);
CREATE INDEX mfa_step_ups_end ON mfa_step_ups (expires_at);
