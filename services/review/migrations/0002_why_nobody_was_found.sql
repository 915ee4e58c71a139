-- A request that no form of therapy here is for does not wait: it is a person's to decide, before all others.

ALTER TABLE cases ADD COLUMN shortfall text CHECK (shortfall IN ('nobody_free', 'no_way_fits'));

ALTER TABLE cases DROP CONSTRAINT cases_state_check;
ALTER TABLE cases ADD CONSTRAINT cases_state_check CHECK (state IN (
    'awaiting_proposal', 'ready', 'waiting', 'no_way_fits', 'information_asked', 'confirmed', 'matched',
    'declined', 'withdrawn'
));

-- Until now the only reason there was.
UPDATE cases SET shortfall = 'nobody_free' WHERE proposal_id IS NULL AND answered_at IS NOT NULL;

-- The order of the queue.
CREATE INDEX cases_queue_by_need
    ON cases ((reopened_at IS NULL AND state <> 'no_way_fits'), (flags = 0), submitted_at, request_id);
DROP INDEX cases_queue;
