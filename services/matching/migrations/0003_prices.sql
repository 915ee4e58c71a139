-- What each therapist costs in the order of a list, as it was worked out at one time. Who is not named costs nothing.
-- Every process orders by the newest version.
CREATE TABLE prices (
    version bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    policy_version text NOT NULL,
    computed_at timestamptz NOT NULL,
    therapist_ids uuid[] NOT NULL,
    points integer[] NOT NULL,
    CONSTRAINT prices_one_for_each_therapist CHECK (cardinality(therapist_ids) = cardinality(points)),
    CONSTRAINT prices_never_negative CHECK (0 <= ALL (points))
);

-- Which version the ranking of a proposal went by, so that it can be made again. No foreign keys: rankings and versions
-- that nobody needs are cleared away while others are at work.
CREATE TABLE ranked_by_prices (
    ranking_id bigint PRIMARY KEY,
    price_version bigint NOT NULL
);

CREATE INDEX ranked_by_prices_version ON ranked_by_prices (price_version);

CREATE INDEX requests_by_submission ON requests (submitted_at) WHERE details IS NOT NULL;
