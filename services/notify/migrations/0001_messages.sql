-- Whom to write to about each request, and every message that was called for.

CREATE TABLE correspondents (
    request_id uuid PRIMARY KEY,
    subject_id uuid NOT NULL,
    contact bytea NOT NULL,
    therapist bytea,
    waiting_told boolean NOT NULL DEFAULT false,
    closed boolean NOT NULL DEFAULT false
);

CREATE TABLE messages (
    id uuid PRIMARY KEY,
    -- Messages to one person go out in this order: the transactions take turns on the correspondent's row.
    sequence bigint GENERATED ALWAYS AS IDENTITY,
    request_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    cause_id uuid NOT NULL,
    -- The envelope of the event that called for it; no personal data.
    cause jsonb NOT NULL,
    kind text NOT NULL,
    recipient text NOT NULL CHECK (recipient IN ('client', 'therapist')),
    message_id text NOT NULL,
    mail bytea,
    status text NOT NULL
        CHECK (status IN ('pending', 'sending', 'sent', 'failed', 'uncertain', 'suppressed')),
    attempts integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    -- From when the time counts after which it is given up: its beginning, or when a person had it sent again.
    tried_since timestamptz NOT NULL,
    next_attempt_at timestamptz NOT NULL,
    lease_until timestamptz,
    handing_over_at timestamptz,
    unwanted_at timestamptz,
    settled_at timestamptz,
    reason text,
    smtp_code integer,
    phase text,
    CONSTRAINT messages_once_per_cause UNIQUE (cause_id, kind, recipient),
    CONSTRAINT messages_sending_has_a_lease CHECK ((status = 'sending') = (lease_until IS NOT NULL)),
    CONSTRAINT messages_settled_has_a_time CHECK ((status IN ('pending', 'sending')) = (settled_at IS NULL)),
    -- What was written is needed until its fate is known, and not a moment longer.
    CONSTRAINT messages_mail_until_settled CHECK ((mail IS NULL) = (status IN ('sent', 'failed', 'suppressed')))
) WITH (fillfactor = 80);

CREATE INDEX messages_due ON messages (next_attempt_at) WHERE status = 'pending';
CREATE INDEX messages_leased ON messages (lease_until) WHERE status = 'sending';
CREATE INDEX messages_uncertain ON messages (settled_at) WHERE status = 'uncertain';
CREATE INDEX messages_in_order ON messages (request_id, recipient, sequence);
