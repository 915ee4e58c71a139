-- From when a therapist can take a new client, and how closed courses went; both as far as the directory tells.

ALTER TABLE therapists
    ADD COLUMN free_from date,
    ADD COLUMN outcome_cases integer CHECK (outcome_cases >= 0),
    -- Mean improvement in hundredths of a standard deviation.
    ADD COLUMN outcome_change integer,
    ADD CONSTRAINT therapists_outcomes_are_whole CHECK ((outcome_cases IS NULL) = (outcome_change IS NULL));
