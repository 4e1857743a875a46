-- +goose Up

-- Sessions of browsers. A session is somebody's before it is a tenant's: whose
-- (owner) and what the provider calls it (sid) stand here as digests, everything
-- else that is said of the person is sealed.

CREATE TABLE sessions (
    id          TEXT    PRIMARY KEY NOT NULL,
    tenant_id   TEXT REFERENCES tenants (id) ON DELETE CASCADE, -- as known at sign-in; NULL: none
    user_id     TEXT    NOT NULL DEFAULT '',   -- of its users row then; '': there was none
    site        TEXT    NOT NULL,              -- the only one that it is good on
    provider    TEXT    NOT NULL,              -- that signed it in; 'link': a one-time link did
    owner       TEXT    NOT NULL,              -- digest of provider, issuer, subject
    sid         TEXT    NOT NULL DEFAULT '',   -- digest of provider, issuer, sid; '': it has none
    facts       BLOB    NOT NULL,              -- sealed: what the provider said
    refresh     BLOB,                          -- sealed: the refresh token
    refresh_rev INTEGER NOT NULL DEFAULT 0,    -- counts refreshes
    tokens_end  INTEGER NOT NULL DEFAULT 0,    -- when it has to be refreshed; 0: never
    retry_at    INTEGER NOT NULL DEFAULT 0,    -- not before, after a failure
    lease       TEXT    NOT NULL DEFAULT '',   -- who is refreshing
    lease_until INTEGER NOT NULL DEFAULT 0,
    stood       TEXT    NOT NULL DEFAULT '',   -- digest of tenant and roles that it was last seen with
    idle        INTEGER NOT NULL,              -- milliseconds without use that end it
    seen_at     INTEGER NOT NULL,              -- exact to the minute
    auth_time   INTEGER NOT NULL DEFAULT 0,
    created_at  INTEGER NOT NULL,
    ends_at     INTEGER NOT NULL
) STRICT;

CREATE INDEX sessions_owner ON sessions (owner, created_at, id);
CREATE INDEX sessions_user ON sessions (tenant_id, user_id) WHERE user_id <> '';
CREATE INDEX sessions_sid ON sessions (sid) WHERE sid <> '';
CREATE INDEX sessions_ends ON sessions (ends_at);
CREATE INDEX sessions_seen ON sessions (seen_at);

-- Sign-ins of one owner take turns on a row here: only then is a bound exact.
CREATE TABLE session_owners (
    owner TEXT    PRIMARY KEY NOT NULL,
    rev   INTEGER NOT NULL
) STRICT;

-- The cookies of a session: the one that counts, and for a moment those before it.
CREATE TABLE session_cookies (
    hash       TEXT    PRIMARY KEY NOT NULL,   -- hex SHA-256 of the cookie
    session_id TEXT    NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL DEFAULT 0      -- of those before; 0: the one that counts
) STRICT;

CREATE INDEX session_cookies_session ON session_cookies (session_id);
CREATE INDEX session_cookies_end ON session_cookies (expires_at) WHERE expires_at <> 0;

-- Sign-ins that have begun. Each ends once.
CREATE TABLE session_starts (
    state      TEXT    PRIMARY KEY NOT NULL,   -- hex SHA-256 of the state
    browser    TEXT    NOT NULL,               -- hex SHA-256 of the pre-session cookie
    network    TEXT    NOT NULL,               -- digest of the client's network: each has room for so many
    site       TEXT    NOT NULL,
    provider   TEXT    NOT NULL,
    sealed     BLOB    NOT NULL,               -- nonce, PKCE verifier, redirect URI, where it leads
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX session_starts_browser ON session_starts (browser, created_at);
CREATE INDEX session_starts_network ON session_starts (network, created_at);
CREATE INDEX session_starts_end ON session_starts (expires_at);

-- Logout tokens that were taken: none is twice.
CREATE TABLE session_logouts (
    digest     TEXT    PRIMARY KEY NOT NULL,   -- of issuer and jti
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX session_logouts_end ON session_logouts (expires_at);

-- One-time sign-in links, of test and dev.
CREATE TABLE session_links (
    hash       TEXT    PRIMARY KEY NOT NULL,   -- hex SHA-256 of the token
    tenant_id  TEXT    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    user_id    TEXT    NOT NULL,
    site       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
