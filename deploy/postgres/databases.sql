-- One database and one role per service, so that no service can read another's tables, and the keyring.
-- Run by psql as a superuser; safe to repeat. Passwords come from the environment and have no default.

\set ON_ERROR_STOP 1
\getenv keyring_password KEYRING_DB_PASSWORD
\getenv intake_password INTAKE_DB_PASSWORD
\getenv matching_password MATCHING_DB_PASSWORD
\getenv review_password REVIEW_DB_PASSWORD
\getenv notify_password NOTIFY_DB_PASSWORD

-- Who may use which keys: the keyring's migrations grant to these two, and to nobody else.
SELECT 'CREATE ROLE attune_contact_keys NOLOGIN' WHERE to_regrole('attune_contact_keys') IS NULL \gexec
SELECT 'CREATE ROLE attune_clinical_keys NOLOGIN' WHERE to_regrole('attune_clinical_keys') IS NULL \gexec

SELECT format('CREATE ROLE %I LOGIN', name)
FROM unnest(ARRAY['attune_keyring', 'attune_intake', 'attune_matching', 'attune_review', 'attune_notify']) AS name
WHERE to_regrole(name) IS NULL \gexec

ALTER ROLE attune_keyring PASSWORD :'keyring_password';
ALTER ROLE attune_intake PASSWORD :'intake_password';
ALTER ROLE attune_matching PASSWORD :'matching_password';
ALTER ROLE attune_review PASSWORD :'review_password';
ALTER ROLE attune_notify PASSWORD :'notify_password';

-- notify writes to people and never needs to know what they suffer from.
GRANT attune_contact_keys TO attune_intake, attune_matching, attune_review, attune_notify;
GRANT attune_clinical_keys TO attune_intake, attune_matching, attune_review;

SELECT format('CREATE DATABASE %I OWNER %I', name, 'attune_' || name)
FROM unnest(ARRAY['keyring', 'intake', 'matching', 'review', 'notify']) AS name
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name) \gexec

SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', name)
FROM unnest(ARRAY['keyring', 'intake', 'matching', 'review', 'notify']) AS name \gexec
GRANT CONNECT ON DATABASE keyring TO attune_contact_keys;
