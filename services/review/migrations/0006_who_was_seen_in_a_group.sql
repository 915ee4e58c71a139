-- A decision for a group tells whom its author saw in it.

ALTER TABLE case_views
    -- Who stood beside the person in which group when the case was opened, sealed under the person's own keys.
    ADD COLUMN beside bytea;

ALTER TABLE cases
    -- Who has a place as matching told it when it refused a decision that did not know of them all, sealed.
    ADD COLUMN members_told bytea,
    -- When nobody comes into the person's group any more; empty while it gathers, and where it was not kept.
    ADD COLUMN group_joinable_until timestamptz;

CREATE INDEX cases_in_groups_of_a_therapist ON cases (chosen_id) WHERE group_id IS NOT NULL;
