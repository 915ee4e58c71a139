-- What every service keeps for its events: what it has heard, what it has said, what it could not handle.

CREATE TABLE inbox (
    consumer text NOT NULL,
    event_id uuid NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('handled', 'erased', 'parked')),
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, event_id)
) WITH (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0,
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = 50000
);

-- Rows arrive in order of time, so a tiny index finds the old ones.
CREATE INDEX inbox_by_age ON inbox USING brin (at) WITH (pages_per_range = 32);

CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id uuid NOT NULL UNIQUE,
    stream text NOT NULL,
    key bytea NOT NULL,
    payload bytea,
    header_names bytea[] NOT NULL,
    header_values bytea[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    parked_at timestamptz,
    parked_reason text,
    CONSTRAINT outbox_payload_fits_a_message CHECK (octet_length(payload) <= 900000),
    CONSTRAINT outbox_parked_says_why CHECK ((parked_at IS NULL) = (parked_reason IS NULL))
) WITH (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0
);

CREATE INDEX outbox_parked ON outbox (stream, key) WHERE parked_at IS NOT NULL;

-- One row per request that this service speaks about: its lock keeps what is said about one request in order.
CREATE TABLE aggregates (
    id uuid PRIMARY KEY,
    version bigint NOT NULL
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

CREATE TABLE dead_letters (
    id uuid PRIMARY KEY,
    consumer text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    event_id uuid,
    event_type text,
    key bytea,
    value bytea,
    header_names bytea[] NOT NULL,
    header_values bytea[] NOT NULL,
    recorded_at timestamptz NOT NULL,
    reason text NOT NULL,
    error_class text,
    attempts integer NOT NULL,
    cycle integer NOT NULL DEFAULT 0,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'replayed', 'discarded')),
    parked_at timestamptz NOT NULL DEFAULT now(),
    settled_at timestamptz,
    CONSTRAINT dead_letters_one_per_record UNIQUE (consumer, topic, partition, "offset"),
    CONSTRAINT dead_letters_settled_has_a_time CHECK ((status = 'open') = (settled_at IS NULL))
);

CREATE INDEX dead_letters_open ON dead_letters (parked_at) WHERE status = 'open';
