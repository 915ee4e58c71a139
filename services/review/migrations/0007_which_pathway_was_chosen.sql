-- Staff choose among the pathways that a therapist could give.

ALTER TABLE cases
    -- The pathway of the decision, sealed under the person's own keys; empty where no decision stands.
    ADD COLUMN chosen_variant bytea;
