-- +goose Up

-- Social sign-ins that have begun and not ended.
CREATE TABLE login_starts (
    state      TEXT    NOT NULL PRIMARY KEY, -- digest
    site       TEXT    NOT NULL,
    network    TEXT    NOT NULL,             -- digest of the address that began it
    sealed     BYTEA   NOT NULL,             -- nonce, verifier, where to go back to and with what
    created_at BIGINT  NOT NULL,
    expires_at BIGINT  NOT NULL
);

CREATE INDEX login_starts_network ON login_starts (network, created_at);
CREATE INDEX login_starts_end ON login_starts (expires_at);

-- Tokens that wait to be fetched by a code.
CREATE TABLE login_codes (
    code       TEXT    NOT NULL PRIMARY KEY, -- digest
    site       TEXT    NOT NULL,
    sealed     BYTEA   NOT NULL,             -- the tokens, and the challenge of whoever may fetch them
    created_at BIGINT  NOT NULL,
    expires_at BIGINT  NOT NULL
);

CREATE INDEX login_codes_end ON login_codes (expires_at);
