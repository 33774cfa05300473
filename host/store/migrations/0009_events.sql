-- Events, touchpoints, disasters. Names of other systems' events are kept as they came; customers are pseudonyms.

-- What decides about events, beside the ledger up to a batch's mark: pins as a plan has them, with no instant.
CREATE TABLE event_worlds (
    id   TEXT PRIMARY KEY,
    pins TEXT NOT NULL
) WITHOUT ROWID;

-- One line a batch: its composition and its decisions, as they were when it was committed.
CREATE TABLE event_batches (
    number    INTEGER PRIMARY KEY AUTOINCREMENT,
    instant   INTEGER NOT NULL,
    mark      INTEGER NOT NULL,         -- the past was read up to here
    world     TEXT NOT NULL REFERENCES event_worlds (id),
    person    TEXT NOT NULL,
    events    BLOB NOT NULL,            -- JSON
    decisions BLOB NOT NULL,            -- a decision log; empty when no activity was told of anything
    limits    TEXT NOT NULL             -- what was left of capacity and budgets
);
CREATE TRIGGER event_batches_stay BEFORE UPDATE ON event_batches BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER event_batches_remain BEFORE DELETE ON event_batches BEGIN SELECT RAISE(ABORT, 'append-only'); END;

-- By what an event is known again: a hash of source and id.
CREATE TABLE event_ids (
    id    BLOB PRIMARY KEY,
    batch INTEGER NOT NULL
) WITHOUT ROWID;

-- In which batches something was decided about a customer.
CREATE TABLE event_candidates (
    customer BLOB NOT NULL,
    batch    INTEGER NOT NULL,
    PRIMARY KEY (customer, batch)
) WITHOUT ROWID;

-- A customer's latest stay of each family; what it was at a batch stands in the batch.
CREATE TABLE stays (
    customer BLOB NOT NULL,
    family   TEXT NOT NULL,
    began    INTEGER NOT NULL,
    last     INTEGER NOT NULL,
    open     INTEGER NOT NULL,
    PRIMARY KEY (customer, family)
) WITHOUT ROWID;

-- Calls and visits, for the hint that a customer calls again; prompts that were shown, with what an acceptance sends.
CREATE TABLE calls (
    id       TEXT PRIMARY KEY,
    customer BLOB NOT NULL,
    at       INTEGER NOT NULL,
    channel  TEXT NOT NULL,
    topic    TEXT NOT NULL,
    person   TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX calls_by_customer ON calls (customer, at);
CREATE TABLE prompts (
    id          TEXT PRIMARY KEY,
    call        TEXT NOT NULL REFERENCES calls (id),
    customer    BLOB NOT NULL,
    world       TEXT NOT NULL,
    activity    TEXT NOT NULL,
    occasion    INTEGER NOT NULL,
    document    TEXT NOT NULL,        -- the prompt and what may follow it, as contacts
    state       TEXT NOT NULL CHECK (state IN ('shown', 'accepted', 'declined')),
    answered_at INTEGER,
    answered_by TEXT
) WITHOUT ROWID;
CREATE INDEX prompts_by_customer ON prompts (customer, state);
CREATE TRIGGER prompts_are_answered_once BEFORE UPDATE ON prompts WHEN OLD.state <> 'shown'
BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER prompts_remain BEFORE DELETE ON prompts BEGIN SELECT RAISE(ABORT, 'append-only'); END;

-- Alerts as they came, and disasters as they are drawn; who drew and activated them stands in the audit log.
CREATE TABLE alerts (
    sender     TEXT NOT NULL,
    identifier TEXT NOT NULL,
    sent       INTEGER NOT NULL,
    document   TEXT NOT NULL,
    taken_at   INTEGER NOT NULL,
    PRIMARY KEY (sender, identifier, sent)
) WITHOUT ROWID;
CREATE TABLE disasters (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    document TEXT NOT NULL
);
CREATE TRIGGER disasters_remain BEFORE DELETE ON disasters BEGIN SELECT RAISE(ABORT, 'append-only'); END;
