-- +goose Up

-- Text messages that were paid for, or may have been. Whom one went to, and who
-- asked for it, stand here as keyed digests: the rows are there to be counted.
CREATE TABLE sms_sends (
    id         TEXT    PRIMARY KEY NOT NULL,
    site       TEXT    NOT NULL,
    campaign   TEXT    NOT NULL,
    number     TEXT    NOT NULL,          -- digest of the number in E.164
    network    TEXT    NOT NULL,          -- digest of the caller's address, or its /64
    prefix     TEXT    NOT NULL,          -- digest of the number without its last four digits
    state      TEXT    NOT NULL,          -- sending, accepted, unknown
    at         INTEGER NOT NULL,          -- when it came to be in that state
    keep_until INTEGER NOT NULL           -- no limit and no repeat asks for it any more
) STRICT;

CREATE INDEX sms_sends_number ON sms_sends (site, number, at);
CREATE INDEX sms_sends_network ON sms_sends (site, network, at);
CREATE INDEX sms_sends_prefix ON sms_sends (site, prefix, at);
CREATE INDEX sms_sends_at ON sms_sends (site, at);
CREATE INDEX sms_sends_keep ON sms_sends (keep_until);

-- Sends of one site take turns on a row here: only then are its limits exact.
CREATE TABLE sms_turns (
    site TEXT    PRIMARY KEY NOT NULL,
    rev  INTEGER NOT NULL
) STRICT;
