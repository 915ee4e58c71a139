-- Anyone may fill in the form with anybody's address, and each request is acknowledged by mail. How often that was
-- done lately is known by a hash of the mailbox and by where it came from, for a day and no longer.

CREATE TABLE form_sendings (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mailbox_hash bytea NOT NULL,
    origin text NOT NULL,
    at timestamptz NOT NULL
);

CREATE INDEX form_sendings_by_mailbox ON form_sendings (mailbox_hash, at);
CREATE INDEX form_sendings_by_origin ON form_sendings (origin, at);
