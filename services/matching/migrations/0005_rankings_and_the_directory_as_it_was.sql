-- Every ranking is kept with all that it depended on, and every change to the directory, so that a ranking can be made
-- again as it was, or under another policy.

-- Transactions are numbered by the server. A database that was dumped and restored into another begins an era there,
-- as no number of before says anything about those that follow.
CREATE TABLE eras (
    id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    begun_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO eras DEFAULT VALUES;

CREATE FUNCTION current_era() RETURNS smallint LANGUAGE sql STABLE AS 'SELECT max(id) FROM eras';

-- An entry as it was from a change until the next. Append-only; what a ranking had seen of it stands with the ranking.
CREATE TABLE therapist_history (
    -- Changes to one therapist follow one another under the lock of their row, so its ids are in the order of commits.
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    therapist_id uuid NOT NULL,
    -- The rows of the three tables without addresses and numbers; NULL once the entry has gone.
    entry jsonb,
    era smallint NOT NULL DEFAULT current_era() REFERENCES eras (id),
    changed_by xid8 NOT NULL DEFAULT pg_current_xact_id(),
    changed_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX therapist_history_of_a_therapist ON therapist_history (therapist_id, id);
CREATE INDEX therapist_history_by_change ON therapist_history (changed_by);

CREATE FUNCTION therapist_entry(which uuid) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT (to_jsonb(t) - ARRAY['imported_at', 'updated_at', 'changed_by'])
        || jsonb_build_object(
            'email', '',
            'registration',
            (SELECT to_jsonb(r) || '{"number": ""}' FROM registrations r WHERE r.therapist_id = t.id),
            'accreditations',
            (SELECT coalesce(jsonb_agg(to_jsonb(a) ORDER BY a.variant), '[]')
             FROM accreditations a WHERE a.therapist_id = t.id)
        )
    FROM therapists t WHERE t.id = which
$$;

CREATE FUNCTION therapists_keep_history() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    which uuid := coalesce(NEW.id, OLD.id);
    now_is jsonb := therapist_entry(which);
BEGIN
    INSERT INTO therapist_history (therapist_id, entry)
    SELECT which, now_is
    WHERE now_is IS DISTINCT FROM (
        SELECT h.entry FROM therapist_history h WHERE h.therapist_id = which AND h.era = current_era()
        ORDER BY h.id DESC LIMIT 1
    );
    RETURN NULL;
END
$$;

-- Deferred, so that an entry which is written in several statements is kept once and whole. Whoever looks at the
-- directory before the end of their own transaction has it written first (SET CONSTRAINTS).
CREATE CONSTRAINT TRIGGER therapists_keep_history AFTER INSERT OR UPDATE OR DELETE ON therapists
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION therapists_keep_history();

-- A credential is a part of its therapist's entry: whoever changes one alone has changed the entry.
CREATE FUNCTION therapists_note_credential() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    which uuid := coalesce(NEW.therapist_id, OLD.therapist_id);
BEGIN
    UPDATE therapists SET updated_at = updated_at
    WHERE id = which AND (
        changed_by <> pg_current_xact_id()
        OR pg_current_xact_id() = (
            SELECT h.changed_by FROM therapist_history h WHERE h.therapist_id = which ORDER BY h.id DESC LIMIT 1
        )
    );
    RETURN NULL;
END
$$;

CREATE TRIGGER registrations_note_credential AFTER INSERT OR UPDATE OR DELETE ON registrations
    FOR EACH ROW EXECUTE FUNCTION therapists_note_credential();
CREATE TRIGGER accreditations_note_credential AFTER INSERT OR UPDATE OR DELETE ON accreditations
    FOR EACH ROW EXECUTE FUNCTION therapists_note_credential();

INSERT INTO therapist_history (therapist_id, entry) SELECT id, therapist_entry(id) FROM therapists ORDER BY id;

-- Who asks, so far as it was told: what a policy does for whom is looked at by it, too.
ALTER TABLE requests ADD COLUMN requester text;

-- Every policy that ever ranked, and the table of districts beside it, word for word.
CREATE TABLE policies (
    digest text PRIMARY KEY,
    version text NOT NULL,
    file text NOT NULL,
    places text NOT NULL,
    first_used_at timestamptz NOT NULL
);

CREATE TABLE rankings (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id uuid NOT NULL REFERENCES requests (id),
    -- NULL if nobody was found.
    proposal_id uuid REFERENCES proposals (id),
    ranked_at timestamptz NOT NULL,
    -- The day in London that ages and credentials were looked at.
    on_day date NOT NULL,
    policy_version text NOT NULL,
    policy text NOT NULL REFERENCES policies (digest),
    excluded uuid[] NOT NULL,
    -- How many seats of a therapist others were offered first.
    spoken_for jsonb NOT NULL,
    -- Which changes to the directory had been seen: those of others in the snapshot, and of its own transaction those
    -- up to a row of the history.
    era smallint NOT NULL REFERENCES eras (id),
    snapshot pg_snapshot NOT NULL,
    own xid8 NOT NULL,
    own_to bigint NOT NULL,
    -- SHA-256 of the answer's bytes, sealed for the purpose 'clinical': from it alone a case might be guessed.
    answer bytea NOT NULL
);

CREATE INDEX rankings_by_time ON rankings (ranked_at);
CREATE INDEX rankings_of_a_request ON rankings (request_id, on_day);

-- The same rankings made again beside the live ones, under a policy that is being tried.
CREATE TABLE shadow_rankings (
    -- One process at a time compares, so ids are in the order of commits.
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    policy text NOT NULL REFERENCES policies (digest),
    ranking_id bigint NOT NULL REFERENCES rankings (id) ON DELETE CASCADE,
    compared_at timestamptz NOT NULL,
    -- What the two policies did, sealed for the purpose 'clinical'; NULL if they could not be compared.
    comparison bytea,
    fault text,
    CONSTRAINT shadow_rankings_one_per_ranking UNIQUE (ranking_id, policy),
    CONSTRAINT shadow_rankings_compare_or_say_why CHECK ((comparison IS NULL) = (fault IS NOT NULL))
);
