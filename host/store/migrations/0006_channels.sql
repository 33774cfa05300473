-- Channels: contacts on their way by a gateway, what gateways answered and reported, rates, dead letters.

-- The channel that it goes by now, where a fallback chose another one than was planned.
ALTER TABLE contacts ADD COLUMN via TEXT;
-- Not before this instant: set where it failed for a passing reason.
ALTER TABLE contacts ADD COLUMN due_at INTEGER;
-- Which dispatcher has it in hand, and until when: after that another one may take it.
ALTER TABLE contacts ADD COLUMN lease TEXT;
ALTER TABLE contacts ADD COLUMN lease_until INTEGER;
CREATE INDEX contacts_leased ON contacts (lease) WHERE lease IS NOT NULL;
CREATE INDEX contacts_on_the_wire ON contacts (lease_until) WHERE state = 'sending' AND batch IS NULL;

-- A line for every attempt, written before anything of it goes out. Without an answer: nobody can tell.
CREATE TABLE sends (
    contact     BLOB NOT NULL,
    attempt     INTEGER NOT NULL,
    customer    BLOB NOT NULL,
    channel     TEXT NOT NULL,
    gateway     TEXT NOT NULL,
    started_at  INTEGER NOT NULL,
    answered_at INTEGER,
    answer      TEXT NOT NULL DEFAULT '',
    note        TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (contact, attempt)
) WITHOUT ROWID;
CREATE INDEX sends_by_customer ON sends (customer, channel, started_at);

-- The gateway's ids of what it accepted, one a segment.
CREATE TABLE parts (
    gateway  TEXT NOT NULL,
    message  TEXT NOT NULL,
    contact  BLOB NOT NULL,
    attempt  INTEGER NOT NULL,
    part     INTEGER NOT NULL,
    PRIMARY KEY (gateway, message)
) WITHOUT ROWID;
CREATE INDEX parts_by_contact ON parts (contact);

-- Receipts as they came, each state of a message once. They may come before the answer that names the message.
CREATE TABLE receipts (
    gateway TEXT NOT NULL,
    message TEXT NOT NULL,
    state   TEXT NOT NULL,
    error   TEXT NOT NULL,
    at      INTEGER NOT NULL,
    times   INTEGER NOT NULL,
    PRIMARY KEY (gateway, message, state)
) WITHOUT ROWID;

-- Whether a contact arrived, as its receipts tell.
CREATE TABLE deliveries (
    contact  BLOB PRIMARY KEY,
    customer BLOB NOT NULL,
    delivery TEXT NOT NULL,
    at       INTEGER NOT NULL,
    recorded INTEGER NOT NULL DEFAULT 0   -- whether the outcome of it was recorded
) WITHOUT ROWID;
CREATE INDEX deliveries_to_record ON deliveries (recorded) WHERE recorded = 0;

-- Given up after so many attempts; somebody may replay it.
CREATE TABLE dead_letters (
    contact     BLOB NOT NULL,
    at          INTEGER NOT NULL,
    gateway     TEXT NOT NULL,
    why         TEXT NOT NULL,
    replayed_at INTEGER,
    PRIMARY KEY (contact, at)
) WITHOUT ROWID;

-- Token buckets, shared by all dispatchers.
CREATE TABLE rates (
    scope       TEXT PRIMARY KEY,
    thousandths INTEGER NOT NULL,
    at          INTEGER NOT NULL
) WITHOUT ROWID;

-- Numbers are handed out to agents only while a window is open; it closes by itself or by hand.
CREATE TABLE calling_windows (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    opened_by     TEXT NOT NULL,
    opened_at     INTEGER NOT NULL,
    closes_at     INTEGER NOT NULL,
    seats         INTEGER NOT NULL,
    calls_an_hour INTEGER NOT NULL
);

-- Work that was handed out to a person: a call, a request to a department; and what came of it.
CREATE TABLE handouts (
    contact   BLOB NOT NULL,
    attempt   INTEGER NOT NULL,
    customer  BLOB NOT NULL,
    campaign  TEXT NOT NULL,
    channel   TEXT NOT NULL,
    person    TEXT NOT NULL,
    at        INTEGER NOT NULL,
    back_at   INTEGER NOT NULL,       -- after that it waits for somebody else
    window    INTEGER REFERENCES calling_windows (id),
    result    TEXT,
    result_at INTEGER,
    note      TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (contact, attempt)
) WITHOUT ROWID;
CREATE INDEX handouts_by_window ON handouts (window);
CREATE INDEX handouts_by_time ON handouts (at);

-- What stood around short messages, since when.
CREATE TABLE frames (
    at    INTEGER PRIMARY KEY,
    frame TEXT NOT NULL
);

-- Messages to our own staff: test messages of submissions, and copies of what campaigns send. They are no contacts.
CREATE TABLE asides (
    id       BLOB PRIMARY KEY,
    kind     TEXT NOT NULL,               -- test, seed
    subject  TEXT NOT NULL,               -- the submission, or the campaign
    plan     TEXT NOT NULL DEFAULT '',
    template TEXT NOT NULL,
    channel  TEXT NOT NULL,
    language TEXT NOT NULL,
    staff    TEXT NOT NULL,
    person   TEXT NOT NULL,               -- who asked for it
    at       INTEGER NOT NULL,
    answer   TEXT NOT NULL DEFAULT '',    -- empty until there is one
    note     TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE INDEX asides_by_subject ON asides (subject, at);
