-- Groups: each takes one seat of its therapist's caseload and gives places in it, to nobody but whom a person decided on.

CREATE TABLE groups (
    id uuid PRIMARY KEY,
    therapist_id uuid NOT NULL REFERENCES therapists (id),
    variant text NOT NULL,
    slot text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('online', 'in_person')),
    language text NOT NULL,
    least integer NOT NULL CHECK (least > 0),
    most integer NOT NULL CHECK (most >= least),
    state text NOT NULL CHECK (state IN ('gathering', 'formed', 'dissolved')),
    places_taken integer NOT NULL DEFAULT 0
        CONSTRAINT groups_no_place_is_freed_twice CHECK (places_taken >= 0)
        CONSTRAINT groups_places_never_above_most CHECK (places_taken <= most),
    opened_at timestamptz NOT NULL,
    deadline timestamptz NOT NULL,
    formed_at timestamptz,
    joinable_until timestamptz,
    dissolved_at timestamptz,
    dissolved_because text,
    CONSTRAINT groups_formed_say_when CHECK (
        (formed_at IS NULL) = (joinable_until IS NULL) AND (state <> 'formed' OR formed_at IS NOT NULL)
    ),
    CONSTRAINT groups_dissolved_say_why CHECK (
        (state = 'dissolved') = (dissolved_at IS NOT NULL)
        AND (dissolved_at IS NULL) = (dissolved_because IS NULL)
    ),
    CONSTRAINT groups_dissolved_are_empty CHECK (state <> 'dissolved' OR places_taken = 0)
);

CREATE UNIQUE INDEX groups_one_at_a_time ON groups (therapist_id, slot) WHERE state <> 'dissolved';
CREATE INDEX groups_by_deadline ON groups (deadline) WHERE state = 'gathering';

CREATE TABLE group_places (
    id uuid PRIMARY KEY,
    group_id uuid NOT NULL REFERENCES groups (id),
    request_id uuid NOT NULL REFERENCES requests (id),
    proposal_id uuid NOT NULL REFERENCES proposals (id),
    decision_id uuid NOT NULL CONSTRAINT group_places_one_per_decision UNIQUE,
    decided_by uuid NOT NULL,
    taken_at timestamptz NOT NULL,
    freed_at timestamptz,
    freed_because text,
    CONSTRAINT group_places_freed_say_why CHECK ((freed_at IS NULL) = (freed_because IS NULL))
);

CREATE UNIQUE INDEX group_places_one_open_per_request ON group_places (request_id) WHERE freed_at IS NULL;
CREATE INDEX group_places_of_a_group ON group_places (group_id) WHERE freed_at IS NULL;

-- Which group a proposal names first, so that the next who looks for one is proposed the same.
ALTER TABLE proposals
    ADD COLUMN group_id uuid,
    ADD COLUMN group_variant text,
    ADD COLUMN group_slot text,
    ADD COLUMN group_mode text,
    ADD COLUMN group_language text,
    ADD CONSTRAINT proposals_group_is_whole CHECK (
        (group_slot IS NULL) = (group_variant IS NULL) AND (group_slot IS NULL) = (group_mode IS NULL)
        AND (group_slot IS NULL) = (group_language IS NULL) AND (group_id IS NULL OR group_slot IS NOT NULL)
    );

-- Whether a variant that is given in groups fits: for whom a group's time is chosen.
ALTER TABLE requests ADD COLUMN looks_for_group boolean NOT NULL DEFAULT false;
CREATE INDEX requests_that_look_for_a_group ON requests (submitted_at, id)
    WHERE looks_for_group AND state IN ('proposed', 'waiting');
