-- +goose Up

-- What was called, in hours (UTC).

CREATE TABLE usage_hours (
    tenant_id TEXT    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    key_id    TEXT    NOT NULL,            -- of an API key or machine token; '': people's calls, and what found no room
    hour      INTEGER NOT NULL,            -- its beginning
    class1    INTEGER NOT NULL DEFAULT 0,  -- answers by status class, 1xx to 5xx
    class2    INTEGER NOT NULL DEFAULT 0,
    class3    INTEGER NOT NULL DEFAULT 0,
    class4    INTEGER NOT NULL DEFAULT 0,
    class5    INTEGER NOT NULL DEFAULT 0,
    bytes     INTEGER NOT NULL DEFAULT 0,  -- of the answers' bodies
    PRIMARY KEY (tenant_id, key_id, hour)
) STRICT;

CREATE INDEX usage_hours_hour ON usage_hours (tenant_id, hour);
CREATE INDEX usage_hours_old ON usage_hours (hour);
