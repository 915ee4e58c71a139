-- What intake keeps of a request: who it is about only as a number, and how far it has come.
-- Names, addresses and what people wrote leave with the event, sealed, and are not kept here.

CREATE TABLE partners (
    name text PRIMARY KEY,
    source text NOT NULL,
    key_id text NOT NULL,
    key_hash bytea NOT NULL,
    added_at timestamptz NOT NULL,
    revoked_at timestamptz,
    CONSTRAINT partners_one_per_source UNIQUE (source),
    CONSTRAINT partners_one_per_key UNIQUE (key_id)
);
COMMENT ON COLUMN partners.source IS 'The CloudEvents source that this partner writes.';

CREATE TABLE requests (
    id uuid PRIMARY KEY,
    subject_id uuid NOT NULL,
    door text NOT NULL CHECK (door IN ('web', 'api', 'kafka')),
    partner text REFERENCES partners (name),
    reference text,
    fingerprint bytea NOT NULL,
    status_token_hash bytea NOT NULL,
    received_at timestamptz NOT NULL,
    withdrawn_at timestamptz,
    CONSTRAINT requests_one_per_status_token UNIQUE (status_token_hash),
    CONSTRAINT requests_one_per_reference UNIQUE (partner, reference)
);
COMMENT ON COLUMN requests.fingerprint IS 'Tells whether a repeat says the same; nothing can be read from it.';

CREATE TABLE consents (
    request_id uuid PRIMARY KEY REFERENCES requests (id),
    given_by text NOT NULL,
    to_process boolean NOT NULL,
    to_share boolean NOT NULL,
    given_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT consents_are_whole CHECK (to_process AND to_share)
);
COMMENT ON COLUMN consents.given_by IS 'The role of whoever asked.';

CREATE TABLE idempotency_keys (
    partner text NOT NULL REFERENCES partners (name),
    key text NOT NULL,
    request_id uuid NOT NULL,
    fingerprint bytea NOT NULL,
    used_at timestamptz NOT NULL,
    PRIMARY KEY (partner, key)
);

-- The newest that each service has said about a request.
CREATE TABLE news (
    request_id uuid NOT NULL REFERENCES requests (id),
    speaker text NOT NULL CHECK (speaker IN ('matching', 'review', 'mail')),
    version bigint NOT NULL,
    fact text NOT NULL,
    said_at timestamptz NOT NULL,
    proposal_id uuid,
    decision_id uuid,
    note bytea,
    PRIMARY KEY (request_id, speaker)
);
COMMENT ON COLUMN news.note IS 'Sealed: a question to the client, or where a declined client can turn.';
