-- A rematch may be heard before the seat that it gives back: the streams of two services have no common order.

ALTER TABLE correspondents ADD COLUMN turned_down uuid;
