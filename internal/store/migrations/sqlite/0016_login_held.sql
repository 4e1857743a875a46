-- +goose Up

-- Tokens of logins that wait for a second factor.
CREATE TABLE login_held (
    token      TEXT    NOT NULL PRIMARY KEY, -- digest of the mfa_token
    site       TEXT    NOT NULL,
    sealed     BLOB    NOT NULL,             -- the tokens, whose they are, and what scripts left to be written
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX login_held_end ON login_held (site, expires_at);

-- What scripts of a login know of a user, and write.
ALTER TABLE users ADD COLUMN app_metadata TEXT NOT NULL DEFAULT '';   -- a JSON object; '' before the first login
ALTER TABLE users ADD COLUMN user_metadata TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN logins_count INTEGER NOT NULL DEFAULT 0;
