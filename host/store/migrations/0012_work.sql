-- Lists of calls and of requests to departments, as their supervisors read them; what a budget paid for.

CREATE INDEX contacts_worked ON contacts (seq) WHERE channel IN ('call-list', 'action') OR via IS NOT NULL;
CREATE INDEX contacts_priced ON contacts (component) WHERE cost_fen > 0;
