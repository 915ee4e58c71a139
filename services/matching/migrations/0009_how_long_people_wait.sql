-- How long each request waited the first time, kept to tell others who wait. A later time is not kept: it begins
-- nearer the head of the list.

CREATE TABLE waits (
    request_id uuid PRIMARY KEY REFERENCES requests (id),
    mode text NOT NULL CHECK (mode IN ('online', 'in_person', 'either')),
    since timestamptz NOT NULL,
    ended_at timestamptz,
    found boolean,
    CONSTRAINT waits_ended_say_how CHECK ((ended_at IS NULL) = (found IS NULL))
);

CREATE INDEX waits_by_end ON waits (ended_at);

-- What a waiting client was last told of it, to be said again when it is no longer true.
ALTER TABLE waiting_list
    ADD COLUMN told_least integer,
    ADD COLUMN told_most integer,
    ADD CONSTRAINT waiting_list_told_is_whole CHECK ((told_least IS NULL) = (told_most IS NULL));
