-- +goose Up

-- The audit trail: one chain of rows per tenant, and the host's own under ''.
-- Every column enters hash, which is keyed by the master key that key_id names.
CREATE TABLE audit_events (
	tenant_id      TEXT NOT NULL,
	n              BIGINT NOT NULL, -- 1, 2, 3 … without gap
	id             TEXT NOT NULL,
	at             BIGINT NOT NULL,
	action         TEXT NOT NULL,
	target         TEXT NOT NULL,
	result         TEXT NOT NULL,
	decision       TEXT NOT NULL,
	request        TEXT NOT NULL,
	actor_kind     TEXT NOT NULL,
	actor_provider TEXT NOT NULL,
	actor_issuer   TEXT NOT NULL,
	actor_id       TEXT NOT NULL,
	actor_user     TEXT NOT NULL,
	detail         TEXT NOT NULL,
	actor_mark     BYTEA NOT NULL, -- salted digest of the actor's row of audit_people; empty where there is none
	target_mark    BYTEA NOT NULL,
	key_id         TEXT NOT NULL,
	hash           BYTEA NOT NULL,
	PRIMARY KEY (tenant_id, n)
);
CREATE INDEX audit_events_at ON audit_events (at);

-- What can be erased of a person without breaking the chain.
CREATE TABLE audit_people (
	tenant_id    TEXT NOT NULL,
	n            BIGINT NOT NULL,
	part         TEXT NOT NULL, -- 'actor' or 'target'
	salt         BYTEA NOT NULL,
	email        TEXT NOT NULL,
	email_folded TEXT NOT NULL,
	ip           TEXT NOT NULL,
	PRIMARY KEY (tenant_id, n, part)
);
CREATE INDEX audit_people_email ON audit_people (email_folded, tenant_id) WHERE email_folded <> '';

-- The end of every chain. Its UPDATE is what writers take turns on.
CREATE TABLE audit_heads (
	tenant_id TEXT NOT NULL PRIMARY KEY,
	n         BIGINT NOT NULL,
	at        BIGINT NOT NULL,
	hash      BYTEA NOT NULL
);

-- What was derived of master keys for the trail, sealed, so that rows verify
-- after a master key was retired.
CREATE TABLE audit_keys (
	key_id TEXT NOT NULL PRIMARY KEY,
	sealed BYTEA NOT NULL
);
