-- What tells something of a client stands open only while SQL must look for it; what is kept beyond that is sealed.

-- Who asks is sealed with the details.
ALTER TABLE requests DROP COLUMN requester;

-- The group that a proposal names first is read from its sealed shortlist. When it meets is counted by, while it is open.
ALTER TABLE proposals
    DROP COLUMN group_id,
    DROP COLUMN group_variant,
    DROP COLUMN group_mode,
    DROP COLUMN group_language;

UPDATE proposals SET group_slot = NULL, named = '{}' WHERE NOT open;

CREATE OR REPLACE FUNCTION requests_note_open_proposal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    now_open uuid := CASE WHEN NEW.state = 'proposed' THEN NEW.proposal_id END;
    was_open uuid;
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state = 'proposed' THEN
        was_open := OLD.proposal_id;
    END IF;
    IF now_open IS DISTINCT FROM was_open THEN
        UPDATE proposals SET open = false, group_slot = NULL, named = '{}' WHERE id = was_open;
        UPDATE proposals SET open = true WHERE id = now_open;
    END IF;
    RETURN NULL;
END
$$;

UPDATE requests SET looks_for_group = false WHERE looks_for_group AND state IN ('seated', 'closed');

-- A place that was given back says no more which group it was in, and so of which variant.
ALTER TABLE group_places ALTER COLUMN group_id DROP NOT NULL;
UPDATE group_places SET group_id = NULL WHERE freed_at IS NOT NULL;
ALTER TABLE group_places ADD CONSTRAINT group_places_held_are_in_a_group
    CHECK ((freed_at IS NULL) = (group_id IS NOT NULL));

UPDATE requests SET subject_id = NULL, details = NULL WHERE closed_because = 'erased';
