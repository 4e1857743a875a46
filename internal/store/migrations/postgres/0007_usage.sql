-- +goose Up

-- What was called, in hours (UTC).

CREATE TABLE usage_hours (
    tenant_id TEXT    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    key_id    TEXT    NOT NULL,            -- of an API key or machine token; '': people's calls, and what found no room
    hour      BIGINT  NOT NULL,            -- its beginning
    class1    BIGINT  NOT NULL DEFAULT 0,  -- answers by status class, 1xx to 5xx
    class2    BIGINT  NOT NULL DEFAULT 0,
    class3    BIGINT  NOT NULL DEFAULT 0,
    class4    BIGINT  NOT NULL DEFAULT 0,
    class5    BIGINT  NOT NULL DEFAULT 0,
    bytes     BIGINT  NOT NULL DEFAULT 0,  -- of the answers' bodies
    PRIMARY KEY (tenant_id, key_id, hour)
);

CREATE INDEX usage_hours_hour ON usage_hours (tenant_id, hour);
CREATE INDEX usage_hours_old ON usage_hours (hour);
