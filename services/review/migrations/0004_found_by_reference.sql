-- Mails name a request by the end of its id; whoever calls about one has nothing else.

CREATE INDEX cases_by_reference ON cases (right(request_id::text, 8));
