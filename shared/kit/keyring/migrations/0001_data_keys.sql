-- One data key per person and purpose, wrapped by the purpose's key-encryption key. Two tables, so that a
-- service that may only read contact data has no grant on the other. Erasure empties `wrapped` for good.

CREATE TABLE contact_keys (
    kid uuid PRIMARY KEY,
    subject_id uuid NOT NULL,
    wrapped bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    destroyed_at timestamptz,
    CONSTRAINT contact_keys_one_per_subject UNIQUE (subject_id),
    CONSTRAINT contact_keys_destroyed_or_usable CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);

CREATE TABLE clinical_keys (
    kid uuid PRIMARY KEY,
    subject_id uuid NOT NULL,
    wrapped bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    destroyed_at timestamptz,
    CONSTRAINT clinical_keys_one_per_subject UNIQUE (subject_id),
    CONSTRAINT clinical_keys_destroyed_or_usable CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);
