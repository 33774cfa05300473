-- Other systems that are told of plans, submissions and campaigns. The secret they are signed for with is made of `salt`
-- and of a key that is not in this database.
CREATE TABLE hooks (
    id            TEXT PRIMARY KEY,
    url           TEXT NOT NULL,
    kinds         TEXT NOT NULL,      -- JSON: kinds or families of events; empty for all
    note          TEXT NOT NULL,
    salt          BLOB NOT NULL,
    registered_by TEXT NOT NULL,
    registered_at INTEGER NOT NULL,
    closed_at     INTEGER,
    closed_because TEXT
) WITHOUT ROWID;
CREATE TRIGGER hooks_remain BEFORE DELETE ON hooks BEGIN SELECT RAISE(ABORT, 'append-only'); END;

-- The outbox: written in the transaction of what it tells of.
CREATE TABLE hook_deliveries (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    hook     TEXT NOT NULL REFERENCES hooks (id),
    event    TEXT NOT NULL,           -- the same for everybody who is told
    kind     TEXT NOT NULL,
    body     TEXT NOT NULL,
    told_at  INTEGER NOT NULL,        -- when what it tells of happened
    state    TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'given-up', 'dropped')),
    attempts INTEGER NOT NULL,
    next_at  INTEGER NOT NULL,        -- not before; of one that is on its way, when it may be taken again
    last_at  INTEGER,
    status   INTEGER,                 -- of the last answer; NULL when none came
    answer   TEXT,
    UNIQUE (hook, event)
);
CREATE INDEX hook_deliveries_waiting ON hook_deliveries (next_at) WHERE state = 'waiting';

-- How long records are kept, as an administrator set it, and every run that deleted some.
CREATE TABLE retention (id INTEGER PRIMARY KEY CHECK (id = 1), document TEXT NOT NULL);
CREATE TABLE retention_runs (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    person TEXT NOT NULL,
    report TEXT NOT NULL
);
-- A plan whose decision logs are gone: it cannot be replayed or explained any more.
ALTER TABLE plans ADD COLUMN forgotten_at INTEGER;
-- A contact of which it is not known any more what was said.
ALTER TABLE contacts ADD COLUMN forgotten_at INTEGER;

-- The ledger stays append-only, but for retention: a row stands here within its transaction alone.
CREATE TABLE forgetting (id INTEGER PRIMARY KEY CHECK (id = 1));
DROP TRIGGER contact_log_remains;
CREATE TRIGGER contact_log_remains BEFORE DELETE ON contact_log WHEN NOT EXISTS (SELECT 1 FROM forgetting)
BEGIN SELECT RAISE(ABORT, 'append-only'); END;
DROP TRIGGER only_waiting_contacts_go;
CREATE TRIGGER only_waiting_contacts_go BEFORE DELETE ON contacts
WHEN OLD.state <> 'planned' AND NOT EXISTS (SELECT 1 FROM forgetting)
BEGIN SELECT RAISE(ABORT, 'append-only'); END;
DROP TRIGGER event_batches_remain;
CREATE TRIGGER event_batches_remain BEFORE DELETE ON event_batches WHEN NOT EXISTS (SELECT 1 FROM forgetting)
BEGIN SELECT RAISE(ABORT, 'append-only'); END;
DROP TRIGGER cancelled_plans_stay;
CREATE TRIGGER cancelled_plans_stay BEFORE UPDATE ON plans
WHEN OLD.halt = 'cancelled' AND NOT EXISTS (SELECT 1 FROM forgetting)
BEGIN SELECT RAISE(ABORT, 'append-only'); END;
-- The contacts that go in this transaction.
CREATE TABLE forgetting_contacts (id BLOB PRIMARY KEY) WITHOUT ROWID;
