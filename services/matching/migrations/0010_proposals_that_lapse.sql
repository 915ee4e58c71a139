-- An open proposal stands until nobody has decided on it for too long, or until somebody on it may no longer be proposed.
-- It is looked at again on every new day, and whenever an entry that it names has changed.

ALTER TABLE proposals
    -- Everybody on the shortlist, best first.
    ADD COLUMN named uuid[] NOT NULL DEFAULT '{}',
    -- The last day on which it was looked at, and the changes to the directory that had been seen then; without a day it
    -- is looked at in any case.
    ADD COLUMN looked_on date,
    ADD COLUMN seen pg_snapshot;

-- NULL while a request is back on the list and nobody has been looked for yet: whatever is found then is said.
ALTER TABLE waiting_list ALTER COLUMN shortfall DROP NOT NULL;
