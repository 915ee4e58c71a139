-- A formed group gives its seat and its weekly time back once its course must be over; so each has to say when.

-- Formed by a build that did not keep it. Every course so far has eight weekly sessions.
UPDATE groups SET over_at = joinable_until + interval '8 weeks' WHERE state = 'formed' AND over_at IS NULL;
