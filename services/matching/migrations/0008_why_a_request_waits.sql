-- A request that no form of therapy fits is looked at again like all who wait, but is never said to wait.

ALTER TABLE waiting_list ADD COLUMN shortfall text NOT NULL DEFAULT 'nobody_free'
    CHECK (shortfall IN ('nobody_free', 'no_way_fits'));

-- A pass over the waiting list counts the open proposals by whom they name first.
CREATE INDEX requests_proposed ON requests (proposal_id) WHERE state = 'proposed';
