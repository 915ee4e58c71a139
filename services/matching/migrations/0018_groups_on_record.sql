-- A ranking that may lead into a group depends on the groups there are and on who else looks for one. What it had seen
-- of them is kept beside it, so that it can be made again with them.

-- Sealed for the purpose 'clinical' under the client's key; others are in it by the ids of their requests and proposals.
-- NULL if none of the client's pathways leads into a group, and for whatever was ranked before this was kept: the digest
-- of the answer is then that of the list before any group was thought of.
ALTER TABLE rankings ADD COLUMN groups bytea;
