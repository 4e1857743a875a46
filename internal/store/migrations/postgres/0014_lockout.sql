-- +goose Up

-- What accounts and addresses are hashed under: random, one row.
CREATE TABLE lockout_keys (
    id     TEXT    NOT NULL PRIMARY KEY,
    sealed BYTEA   NOT NULL
);

-- When credentials were wrong, and attempts that are under way. Nobody's name or
-- address stands here.
CREATE TABLE lockout_counters (
    kind       TEXT    NOT NULL,               -- address, pair, account, or what else is tried
    digest     TEXT    NOT NULL,
    network    TEXT    NOT NULL DEFAULT '',    -- digest of the address whose attempts make such rows
    rev        BIGINT NOT NULL DEFAULT 0,     -- taken up by every write: writers take turns
    wrong      TEXT    NOT NULL DEFAULT '[]',  -- moments
    held       TEXT    NOT NULL DEFAULT '[]',  -- moments of attempts without an outcome yet
    expires_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (kind, digest)
);

CREATE INDEX lockout_counters_network ON lockout_counters (network) WHERE network <> '';
CREATE INDEX lockout_counters_end ON lockout_counters (expires_at);

-- From where an account was signed in to.
CREATE TABLE lockout_known (
    account TEXT    NOT NULL,
    address TEXT    NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (account, address)
);

CREATE INDEX lockout_known_end ON lockout_known (seen_at);
