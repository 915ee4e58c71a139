-- The directory, the requests that look for a therapist in it, and the seats that were given out.

CREATE TABLE therapists (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    email text NOT NULL,
    gender text NOT NULL,
    outcode text NOT NULL,
    modes text[] NOT NULL,
    formats text[] NOT NULL,
    age_groups text[] NOT NULL,
    languages text[] NOT NULL,
    fee_pence integer NOT NULL CHECK (fee_pence >= 0),
    slots text[] NOT NULL,
    problem_areas text[] NOT NULL,
    conditions text[] NOT NULL,
    approaches text[] NOT NULL,
    affirming text[] NOT NULL,
    confirmed_on date NOT NULL,
    seats_offered integer NOT NULL CHECK (seats_offered >= 0),
    seats_taken integer NOT NULL DEFAULT 0 CONSTRAINT therapists_no_seat_is_freed_twice CHECK (seats_taken >= 0),
    -- A therapist may offer fewer seats than are taken; then none is free until enough are given back.
    seats_free integer NOT NULL GENERATED ALWAYS AS (GREATEST(0, seats_offered - seats_taken)) STORED
        CONSTRAINT therapists_seats_never_below_zero CHECK (seats_free >= 0),
    imported_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE registrations (
    therapist_id uuid PRIMARY KEY REFERENCES therapists (id) ON DELETE CASCADE,
    body text NOT NULL,
    number text NOT NULL,
    expires_on date NOT NULL
);

CREATE TABLE accreditations (
    therapist_id uuid NOT NULL REFERENCES therapists (id) ON DELETE CASCADE,
    variant text NOT NULL,
    route text NOT NULL,
    expires_on date NOT NULL,
    cases integer NOT NULL CHECK (cases >= 0),
    PRIMARY KEY (therapist_id, variant)
);

CREATE TABLE requests (
    id uuid PRIMARY KEY,
    subject_id uuid,
    -- Sealed for the purpose 'clinical'; NULL for a request that was withdrawn before it was heard of.
    details bytea,
    state text NOT NULL CHECK (state IN ('proposed', 'waiting', 'seated', 'closed')),
    -- The request's place in the queue: when it was submitted, whatever happens to it later.
    submitted_at timestamptz NOT NULL,
    proposal_id uuid,
    closed_at timestamptz,
    closed_because text,
    CONSTRAINT requests_proposed_have_a_proposal CHECK (state <> 'proposed' OR proposal_id IS NOT NULL),
    CONSTRAINT requests_closed_say_why
        CHECK ((state = 'closed') = (closed_at IS NOT NULL) AND (closed_at IS NULL) = (closed_because IS NULL))
);

CREATE TABLE proposals (
    id uuid PRIMARY KEY,
    request_id uuid NOT NULL REFERENCES requests (id),
    policy_version text NOT NULL,
    -- The shortlist as it was said, sealed for the purpose 'clinical'.
    shortlist bytea NOT NULL,
    first_therapist_id uuid NOT NULL,
    proposed_at timestamptz NOT NULL
);

CREATE INDEX proposals_of_a_request ON proposals (request_id);

CREATE TABLE exclusions (
    request_id uuid NOT NULL REFERENCES requests (id),
    therapist_id uuid NOT NULL,
    decision_id uuid NOT NULL,
    excluded_at timestamptz NOT NULL,
    PRIMARY KEY (request_id, therapist_id)
);

CREATE TABLE waiting_list (
    request_id uuid PRIMARY KEY REFERENCES requests (id),
    submitted_at timestamptz NOT NULL,
    since timestamptz NOT NULL
);

CREATE INDEX waiting_list_in_order ON waiting_list (submitted_at, request_id);

CREATE TABLE seats (
    id uuid PRIMARY KEY,
    therapist_id uuid NOT NULL REFERENCES therapists (id),
    request_id uuid NOT NULL REFERENCES requests (id),
    proposal_id uuid NOT NULL REFERENCES proposals (id),
    decision_id uuid NOT NULL CONSTRAINT seats_one_per_decision UNIQUE,
    mode text NOT NULL,
    taken_at timestamptz NOT NULL,
    freed_at timestamptz,
    freed_because text,
    CONSTRAINT seats_freed_say_why CHECK ((freed_at IS NULL) = (freed_because IS NULL))
);

CREATE UNIQUE INDEX seats_one_open_per_request ON seats (request_id) WHERE freed_at IS NULL;

-- Each row says that something changed which may help somebody who waits; a pass over the list removes it.
CREATE TABLE reoffers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    because text NOT NULL,
    wanted_at timestamptz NOT NULL
);
