-- Whom to write to about each request, and every message that was called for.

CREATE TABLE correspondents (
    request_id uuid PRIMARY KEY,
    subject_id uuid NOT NULL,
    contact bytea NOT NULL,
    therapist bytea,
    waiting_told boolean NOT NULL DEFAULT false,
    withdrawn boolean NOT NULL DEFAULT false
);

CREATE TABLE messages (
    id uuid PRIMARY KEY,
    request_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    cause_id uuid NOT NULL,
    kind text NOT NULL,
    recipient text NOT NULL CHECK (recipient IN ('client', 'therapist')),
    letter bytea,
    status text NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'sending', 'sent', 'failed', 'uncertain', 'suppressed')),
    attempts integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    next_attempt_at timestamptz NOT NULL,
    lease_until timestamptz,
    handing_over_at timestamptz,
    settled_at timestamptz,
    smtp_code integer,
    CONSTRAINT messages_once_per_cause UNIQUE (cause_id, kind, recipient),
    CONSTRAINT messages_sending_has_a_lease CHECK ((status = 'sending') = (lease_until IS NOT NULL)),
    -- What was written is needed until its fate is known, and not a moment longer.
    CONSTRAINT messages_letter_until_settled CHECK ((letter IS NULL) = (status IN ('sent', 'failed', 'suppressed')))
) WITH (fillfactor = 80);

CREATE INDEX messages_due ON messages (next_attempt_at) WHERE status = 'pending';
CREATE INDEX messages_leased ON messages (lease_until) WHERE status = 'sending';
CREATE INDEX messages_of_request ON messages (request_id);
