-- What review keeps: staff and their sessions, cases, what was decided and by whom.

CREATE TABLE staff (
    id uuid PRIMARY KEY,
    email text NOT NULL,
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('reviewer', 'supervisor', 'admin')),
    password_hash text NOT NULL,
    created_at timestamptz NOT NULL,
    disabled_at timestamptz,
    CONSTRAINT staff_one_per_email UNIQUE (email),
    CONSTRAINT staff_email_in_small_letters CHECK (email = lower(email))
);

-- The token itself is only in the browser or program that signed in.
CREATE TABLE sessions (
    token_hash bytea PRIMARY KEY,
    staff_id uuid NOT NULL REFERENCES staff (id),
    created_at timestamptz NOT NULL,
    used_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);

CREATE INDEX sessions_of_staff ON sessions (staff_id) WHERE revoked_at IS NULL;

-- One row per try that has not succeeded, also for accounts that do not exist; the account is hashed, for
-- people type other things there by mistake.
CREATE TABLE sign_in_attempts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account bytea NOT NULL,
    address text NOT NULL,
    at timestamptz NOT NULL
);

CREATE INDEX sign_in_attempts_by_account ON sign_in_attempts (account, at);
CREATE INDEX sign_in_attempts_by_address ON sign_in_attempts (address, at);

CREATE TABLE cases (
    request_id uuid PRIMARY KEY,
    subject_id uuid NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    state text NOT NULL CHECK (state IN (
        'awaiting_proposal', 'ready', 'waiting', 'information_asked', 'confirmed', 'matched', 'declined',
        'withdrawn'
    )),
    door text NOT NULL,
    partner text,
    consented_at timestamptz NOT NULL,
    submitted_at timestamptz NOT NULL,
    flags integer NOT NULL CHECK (flags >= 0),
    claimed_by uuid REFERENCES staff (id),
    claimed_at timestamptz,
    heard bigint NOT NULL DEFAULT 0,
    proposal_id uuid,
    policy_version text,
    therapist_ids uuid[] NOT NULL DEFAULT '{}',
    unavailable uuid[] NOT NULL DEFAULT '{}',
    excluded uuid[] NOT NULL DEFAULT '{}',
    answered_at timestamptz,
    decision_id uuid,
    decided_by uuid REFERENCES staff (id),
    decided_at timestamptz,
    chosen_id uuid,
    seat_id uuid,
    reopened_at timestamptz,
    reopened_because text,
    -- Sealed under the person's own keys.
    contact bytea NOT NULL,
    details bytea NOT NULL,
    shortlist bytea,
    findings bytea,
    chosen_name bytea,
    CONSTRAINT cases_choice_is_whole CHECK (
        (decision_id IS NULL) = (decided_by IS NULL) AND (decision_id IS NULL) = (chosen_id IS NULL)
    ),
    CONSTRAINT cases_shortlist_has_its_proposal CHECK ((proposal_id IS NULL) = (shortlist IS NULL)),
    CONSTRAINT cases_claim_has_a_time CHECK ((claimed_by IS NULL) = (claimed_at IS NULL)),
    CONSTRAINT cases_confirmed_has_a_choice CHECK (
        state NOT IN ('confirmed', 'matched') OR decision_id IS NOT NULL
    )
);

-- The order of the queue.
CREATE INDEX cases_queue ON cases ((reopened_at IS NULL), (flags = 0), submitted_at, request_id);

CREATE TABLE messages (
    message_id uuid PRIMARY KEY,
    request_id uuid NOT NULL REFERENCES cases (request_id),
    kind text NOT NULL,
    recipient text NOT NULL,
    state text NOT NULL CHECK (state IN ('sent', 'failed', 'uncertain')),
    heard bigint NOT NULL,
    attempts integer NOT NULL,
    reason text,
    smtp_code integer,
    at timestamptz NOT NULL,
    -- A person has found another way, or found out.
    settled_at timestamptz,
    settled_by uuid REFERENCES staff (id)
);

CREATE INDEX messages_of_case ON messages (request_id);
CREATE INDEX messages_in_trouble ON messages (request_id) WHERE state <> 'sent' AND settled_at IS NULL;

-- Who has opened which case, when; also how long it lay open before a decision.
CREATE TABLE case_views (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id uuid NOT NULL REFERENCES cases (request_id),
    staff_id uuid NOT NULL REFERENCES staff (id),
    case_version integer NOT NULL,
    at timestamptz NOT NULL
);

CREATE INDEX case_views_of_case ON case_views (request_id, staff_id, at);

CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    actor text NOT NULL CHECK (actor IN ('staff', 'visitor', 'intake', 'matching', 'operator')),
    staff_id uuid REFERENCES staff (id),
    request_id uuid REFERENCES cases (request_id),
    case_version integer,
    action text NOT NULL,
    decision_id uuid,
    therapist_id uuid,
    codes jsonb NOT NULL DEFAULT '{}',
    words bytea,
    CONSTRAINT audit_staff_is_named CHECK (actor <> 'staff' OR staff_id IS NOT NULL),
    CONSTRAINT audit_case_has_its_version CHECK ((request_id IS NULL) = (case_version IS NULL))
);

CREATE INDEX audit_of_case ON audit (request_id, id);
CREATE UNIQUE INDEX audit_one_row_per_decision ON audit (decision_id) WHERE actor = 'staff' AND decision_id IS NOT NULL;

CREATE FUNCTION refuse_to_rewrite() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite();
CREATE TRIGGER case_views_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON case_views
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite();
