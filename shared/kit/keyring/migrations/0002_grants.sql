-- Rights by purpose, to roles that the operator gives to services; where there are none, as in tests, the
-- owner alone uses the keyring. No DELETE: an erased person's row must stay.
DO $$
BEGIN
    IF to_regrole('attune_contact_keys') IS NOT NULL THEN
        GRANT SELECT, INSERT, UPDATE ON contact_keys TO attune_contact_keys;
    END IF;
    IF to_regrole('attune_clinical_keys') IS NOT NULL THEN
        GRANT SELECT, INSERT, UPDATE ON clinical_keys TO attune_clinical_keys;
    END IF;
END
$$;
