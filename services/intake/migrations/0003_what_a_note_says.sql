-- What matching says of a wait lies beside the notes of review.

COMMENT ON COLUMN news.note IS
    'Sealed: a question to the client, where a declined client can turn, or how long others waited.';
