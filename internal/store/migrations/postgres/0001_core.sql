-- +goose Up

-- One word about the store itself per row: check values of master keys, and the like.
CREATE TABLE meta (
	name  TEXT NOT NULL PRIMARY KEY,
	value TEXT NOT NULL
);

-- The one row that numbers changes. It is updated as the last statement of a
-- writing transaction, so that commit order is number order.
CREATE TABLE change_counter (
	id  BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
	seq BIGINT NOT NULL
);
INSERT INTO change_counter (id, seq) VALUES (1, 0);

-- What changed, in order. tenant_id '' is the host's own; kind '' is everything.
CREATE TABLE changes (
	seq       BIGINT NOT NULL PRIMARY KEY,
	tenant_id TEXT NOT NULL,
	kind      TEXT NOT NULL,
	entity_id TEXT NOT NULL,
	made_at   BIGINT NOT NULL
);
CREATE INDEX changes_made_at ON changes (made_at);
