-- +goose Up

-- Forms of the portal that were sent: SHA-256 of the value that each counts by.
CREATE TABLE portal_sent (
    mark TEXT   PRIMARY KEY,
    ends BIGINT NOT NULL
);
CREATE INDEX portal_sent_ends ON portal_sent (ends);
