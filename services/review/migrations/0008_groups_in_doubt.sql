-- A match in a formed group that has become too small, or whose leader has lapsed, is a person's to look at.

ALTER TABLE cases
    ADD COLUMN doubts text[] NOT NULL DEFAULT '{}',
    ADD COLUMN doubted_at timestamptz,
    ADD CONSTRAINT cases_in_doubt_say_why CHECK ((doubted_at IS NULL) = (doubts = '{}'));

-- The order of the queue.
CREATE INDEX cases_queue_by_turn ON cases (
    (reopened_at IS NULL AND therapist_gone_at IS NULL AND doubted_at IS NULL AND state <> 'no_way_fits'),
    (flags = 0), submitted_at, request_id
);
DROP INDEX cases_queue_by_urgency;
