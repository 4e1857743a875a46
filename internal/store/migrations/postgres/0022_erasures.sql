-- +goose Up

-- Who was erased from the trail lately, by a keyed digest of the address: refusals
-- are counted in memory, and what was counted before is written without a name.
CREATE TABLE audit_erasures (
    tenant_id  TEXT COLLATE "C" NOT NULL,
    everywhere INTEGER NOT NULL, -- 1: in every tenant's chain
    person     BYTEA   NOT NULL,
    at         BIGINT  NOT NULL,
    PRIMARY KEY (person, tenant_id, everywhere)
);

-- The one row that erasing and writing counts take turns on.
CREATE TABLE audit_turn (
    id INTEGER PRIMARY KEY,
    n  BIGINT NOT NULL
);
