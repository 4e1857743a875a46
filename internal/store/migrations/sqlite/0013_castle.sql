-- +goose Up

-- Device tokens that were seen, by digest: each counts once while it lives.
CREATE TABLE castle_tokens (
    digest     TEXT    NOT NULL PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX castle_tokens_end ON castle_tokens (expires_at);
