-- A place may be held in a group that still gathers; who shares one is counted here, and shown to nobody.

ALTER TABLE cases
    ADD COLUMN group_id uuid,
    -- What matching told of it, sealed under the person's own keys.
    ADD COLUMN group_place bytea,
    DROP CONSTRAINT cases_state_check,
    ADD CONSTRAINT cases_state_check CHECK (state IN (
        'awaiting_proposal', 'ready', 'waiting', 'no_way_fits', 'information_asked', 'confirmed', 'place_held',
        'matched', 'declined', 'withdrawn'
    )),
    DROP CONSTRAINT cases_confirmed_has_a_choice,
    ADD CONSTRAINT cases_confirmed_has_a_choice CHECK (
        state NOT IN ('confirmed', 'place_held', 'matched') OR decision_id IS NOT NULL
    );

CREATE INDEX cases_of_a_group ON cases (group_id) WHERE group_id IS NOT NULL;
