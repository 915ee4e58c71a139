-- A formed group that becomes too small, or whose leader lapses, is put before staff until its course is over.

ALTER TABLE groups
    -- Empty where a build that did not keep it yet has formed the group.
    ADD COLUMN over_at timestamptz,
    -- What the last look at the leader found, so that each lapse is told once.
    ADD COLUMN leader_lapsed boolean NOT NULL DEFAULT false;

-- Every course so far has eight weekly sessions.
UPDATE groups SET over_at = joinable_until + interval '8 weeks' WHERE joinable_until IS NOT NULL;

CREATE INDEX groups_by_end ON groups (over_at) WHERE state = 'formed';
