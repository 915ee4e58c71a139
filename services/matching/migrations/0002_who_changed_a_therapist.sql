-- Each process keeps the directory in memory and reads again what has changed since it last looked. A row names the
-- transaction that changed it: those older than the oldest one still running are certain to have been seen.

ALTER TABLE therapists ADD COLUMN changed_by xid8 NOT NULL DEFAULT pg_current_xact_id();

CREATE INDEX therapists_by_change ON therapists (changed_by);

CREATE FUNCTION therapists_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed_by := pg_current_xact_id();
    RETURN NEW;
END
$$;

CREATE TRIGGER therapists_note_change BEFORE INSERT OR UPDATE ON therapists
    FOR EACH ROW EXECUTE FUNCTION therapists_note_change();
