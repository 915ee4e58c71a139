-- Other systems that may read the directory over HTTP, or keep it: each with a hash of its key.

CREATE TABLE api_keys (
    name text PRIMARY KEY,
    role text NOT NULL CHECK (role IN ('reader', 'editor')),
    key_id text NOT NULL CONSTRAINT api_keys_one_per_id UNIQUE,
    key_hash bytea NOT NULL,
    added_at timestamptz NOT NULL,
    revoked_at timestamptz
);
COMMENT ON COLUMN api_keys.role IS 'Only an editor changes entries and sees them whole.';
