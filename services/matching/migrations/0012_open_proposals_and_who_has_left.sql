-- What is looked for every few seconds is found by an index, however many proposals there have ever been.

ALTER TABLE proposals ADD COLUMN open boolean NOT NULL DEFAULT false;

UPDATE proposals SET open = true FROM requests
WHERE requests.proposal_id = proposals.id AND requests.state = 'proposed';

-- Open is what its request makes it, whoever changes that.
CREATE FUNCTION requests_note_open_proposal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    now_open uuid := CASE WHEN NEW.state = 'proposed' THEN NEW.proposal_id END;
    was_open uuid;
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state = 'proposed' THEN
        was_open := OLD.proposal_id;
    END IF;
    IF now_open IS DISTINCT FROM was_open THEN
        UPDATE proposals SET open = false WHERE id = was_open;
        UPDATE proposals SET open = true WHERE id = now_open;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER requests_note_open_proposal AFTER INSERT OR UPDATE OF state, proposal_id ON requests
    FOR EACH ROW EXECUTE FUNCTION requests_note_open_proposal();

CREATE INDEX proposals_open_by_age ON proposals (proposed_at) WHERE open;
CREATE INDEX proposals_open_by_look ON proposals (looked_on) WHERE open;
CREATE INDEX proposals_open_by_sight ON proposals (pg_snapshot_xmin(seen)) WHERE open;
CREATE INDEX proposals_open_by_first ON proposals (first_therapist_id) INCLUDE (request_id, group_slot) WHERE open;
CREATE INDEX proposals_open_by_named ON proposals USING gin (named) WHERE open;
DROP INDEX requests_proposed;

CREATE INDEX requests_seated ON requests (id) WHERE state = 'seated';
CREATE INDEX seats_held_of_a_therapist ON seats (therapist_id) WHERE freed_at IS NULL;

-- A group that gathers is looked at again on every new day, and whenever its leader's entry has changed.
ALTER TABLE groups
    ADD COLUMN looked_on date,
    ADD COLUMN seen pg_snapshot;

-- A therapist can be removed. What was decided names them still, by an id that nobody answers to any more.
ALTER TABLE seats DROP CONSTRAINT seats_therapist_id_fkey;
ALTER TABLE groups DROP CONSTRAINT groups_therapist_id_fkey;

CREATE INDEX therapist_history_of_who_has_left ON therapist_history (changed_by) WHERE entry IS NULL;
