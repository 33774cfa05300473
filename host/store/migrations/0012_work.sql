-- Lists of calls and of requests to departments, as their supervisors read them; what a budget paid for; what may go out,
-- in the order in which it goes, so that choosing a thousand of two million costs no more than a thousand.

CREATE INDEX contacts_worked ON contacts (seq) WHERE channel IN ('call-list', 'action') OR via IS NOT NULL;
CREATE INDEX contacts_priced ON contacts (component) WHERE cost_fen > 0;

DROP INDEX contacts_waiting;
CREATE INDEX contacts_expiring ON contacts (not_after) WHERE state = 'released';
CREATE INDEX contacts_due ON contacts (coalesce(via, channel), class, tier, campaign, planned_at)
    WHERE state = 'released';
