-- A match whose therapist has left the directory is a person's to look at, before all others.

ALTER TABLE cases ADD COLUMN therapist_gone_at timestamptz;

-- The order of the queue.
CREATE INDEX cases_queue_by_urgency ON cases (
    (reopened_at IS NULL AND therapist_gone_at IS NULL AND state <> 'no_way_fits'), (flags = 0), submitted_at,
    request_id
);
DROP INDEX cases_queue_by_need;
