-- Others hear of the directory at set times, and not when a seat is taken or freed, which would tell whose it was.
-- Begins empty, so that every entry is told anew: what an older build has said of it is then forgotten by Kafka.

CREATE TABLE told_entries (
    -- No reference: whoever has been removed since is still to be told of.
    therapist_id uuid PRIMARY KEY,
    entry jsonb NOT NULL,
    -- The transaction that had last changed the row by then: who has another may have to be told of.
    changed_by xid8 NOT NULL
);

CREATE TABLE tellings (
    told_at timestamptz PRIMARY KEY
);
