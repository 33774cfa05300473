-- State of one installation. Instants are Unix milliseconds, dates days since 1970-01-01, money fen.
-- `seq` numbers come from one counter, so that a task can read the past "as of seq ≤ mark".

CREATE TABLE sequence (id INTEGER PRIMARY KEY CHECK (id = 1), last INTEGER NOT NULL);
INSERT INTO sequence VALUES (1, 0);

CREATE TABLE activities (
    name   TEXT PRIMARY KEY,
    origin TEXT NOT NULL              -- the name it was first uploaded under: control groups stand on it
);

CREATE TABLE versions (
    component   TEXT PRIMARY KEY,     -- SHA-256 of the component
    activity    TEXT NOT NULL REFERENCES activities (name),
    version     TEXT NOT NULL,
    manifest    TEXT NOT NULL,
    uploaded_by TEXT NOT NULL,
    uploaded_at INTEGER NOT NULL,
    UNIQUE (activity, version)
);

CREATE TABLE submissions (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    component TEXT NOT NULL REFERENCES versions (component),
    state     TEXT NOT NULL CHECK (state IN ('submitted', 'approved', 'rejected')),
    document  TEXT NOT NULL,          -- the state machine's value
    author    TEXT NOT NULL,
    decider   TEXT,
    approval  TEXT,                   -- the approval document
    approval_digest TEXT UNIQUE
);
CREATE UNIQUE INDEX one_open_submission ON submissions (component) WHERE state IN ('submitted', 'approved');

-- Four eyes hold whatever the program above believes: whoever uploaded or submitted cannot decide.
CREATE TRIGGER four_eyes BEFORE UPDATE OF decider ON submissions
WHEN NEW.decider IS NOT NULL AND (
    NEW.decider = NEW.author
    OR NEW.decider = (SELECT uploaded_by FROM versions WHERE component = NEW.component))
BEGIN SELECT RAISE(ABORT, 'four-eyes'); END;
CREATE TRIGGER four_eyes_at_birth BEFORE INSERT ON submissions
WHEN NEW.state <> 'submitted' OR NEW.decider IS NOT NULL OR NEW.approval IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'four-eyes'); END;
CREATE TRIGGER decided_once BEFORE UPDATE ON submissions
WHEN OLD.state <> 'submitted' OR NEW.author <> OLD.author OR NEW.component <> OLD.component
    OR (NEW.state <> 'submitted' AND NEW.decider IS NULL)
BEGIN SELECT RAISE(ABORT, 'decided-once'); END;
CREATE TRIGGER submissions_stay BEFORE DELETE ON submissions
BEGIN SELECT RAISE(ABORT, 'decided-once'); END;

CREATE TABLE campaigns (
    id          TEXT PRIMARY KEY,
    activity    TEXT NOT NULL REFERENCES activities (name),
    requirement TEXT NOT NULL,
    component   TEXT NOT NULL REFERENCES versions (component),
    approval    TEXT NOT NULL REFERENCES submissions (approval_digest),
    params      TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('active', 'stopped')),
    started_by  TEXT NOT NULL,
    started_at  INTEGER NOT NULL
);

CREATE TABLE snapshots (
    id            TEXT PRIMARY KEY,
    business_date INTEGER NOT NULL,
    customers     INTEGER NOT NULL,
    imported_by   TEXT NOT NULL,
    imported_at   INTEGER NOT NULL
);

CREATE TABLE reference_tables (
    name        TEXT PRIMARY KEY,
    digest      TEXT NOT NULL,
    imported_by TEXT NOT NULL,
    imported_at INTEGER NOT NULL
);

CREATE TABLE named_lists (
    name       TEXT PRIMARY KEY,
    owner      TEXT NOT NULL,
    expires_on INTEGER NOT NULL,
    digest     TEXT NOT NULL,
    imported_at INTEGER NOT NULL
);
CREATE TABLE named_list_members (
    list     TEXT NOT NULL REFERENCES named_lists (name) ON DELETE CASCADE,
    customer BLOB NOT NULL,
    PRIMARY KEY (list, customer)
) WITHOUT ROWID;

CREATE TABLE policies (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    digest   TEXT NOT NULL UNIQUE,
    document TEXT NOT NULL
);

CREATE TABLE plans (
    id         TEXT PRIMARY KEY,
    date       INTEGER NOT NULL,
    wave       INTEGER NOT NULL,
    pins       TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('running', 'released')),
    tallies    TEXT,
    created_at INTEGER NOT NULL
);
CREATE TABLE tasks (
    plan   TEXT NOT NULL REFERENCES plans (id),
    bucket INTEGER NOT NULL,
    epoch  INTEGER NOT NULL,          -- attempts; a commit of an older one is refused
    state  TEXT NOT NULL CHECK (state IN ('pending', 'done')),
    result TEXT,
    PRIMARY KEY (plan, bucket)
) WITHOUT ROWID;

CREATE TABLE contacts (
    id         BLOB PRIMARY KEY,
    seq        INTEGER NOT NULL,
    plan       TEXT NOT NULL,
    campaign   TEXT NOT NULL,
    activity   TEXT NOT NULL,
    component  TEXT NOT NULL,
    customer   BLOB NOT NULL,
    class      TEXT NOT NULL,
    weight     INTEGER NOT NULL,
    score      REAL NOT NULL,
    reason     TEXT NOT NULL,
    occasion   INTEGER NOT NULL,
    round      INTEGER NOT NULL,
    addressee  TEXT NOT NULL,
    ordinal    INTEGER NOT NULL,
    template   TEXT NOT NULL,
    channel    TEXT NOT NULL,
    language   TEXT NOT NULL,
    slots      TEXT NOT NULL,
    planned_at INTEGER NOT NULL,
    not_after  INTEGER NOT NULL,
    state      TEXT NOT NULL,
    batch      TEXT
);
CREATE INDEX contacts_by_customer ON contacts (customer, activity);
CREATE INDEX contacts_by_seq ON contacts (seq);
CREATE INDEX contacts_by_plan ON contacts (plan, campaign);
CREATE INDEX contacts_by_campaign ON contacts (campaign, customer);
CREATE INDEX contacts_waiting ON contacts (planned_at) WHERE state = 'released';
CREATE INDEX contacts_sending ON contacts (batch) WHERE state = 'sending';

-- What became of contacts, in order; `contacts.state` is its last line.
CREATE TABLE contact_log (
    seq      INTEGER PRIMARY KEY,
    contact  BLOB NOT NULL,
    customer BLOB NOT NULL,
    state    TEXT NOT NULL,
    at       INTEGER NOT NULL,
    note     TEXT NOT NULL
);

CREATE TABLE release_cuts (
    plan     TEXT NOT NULL,
    campaign TEXT NOT NULL,
    customer BLOB NOT NULL,
    occasion INTEGER NOT NULL,
    round    INTEGER NOT NULL,
    PRIMARY KEY (plan, campaign, customer, occasion, round)
) WITHOUT ROWID;

CREATE TABLE controls (
    seq        INTEGER NOT NULL,
    plan       TEXT NOT NULL,
    campaign   TEXT NOT NULL,
    customer   BLOB NOT NULL,
    occasion   INTEGER NOT NULL,
    planned_at INTEGER NOT NULL,
    PRIMARY KEY (campaign, customer, occasion)
) WITHOUT ROWID;

-- Consent, refusals and suppressions, append-only.
CREATE TABLE wishes (
    seq      INTEGER PRIMARY KEY,
    customer BLOB NOT NULL,
    wish     TEXT NOT NULL,
    at       INTEGER NOT NULL
);
CREATE INDEX wishes_by_customer ON wishes (customer);

CREATE TABLE outcomes (
    seq      INTEGER PRIMARY KEY,
    id       TEXT NOT NULL UNIQUE,    -- the sender's id, or the digest of the line: a repeat adds nothing
    customer BLOB NOT NULL,
    kind     TEXT NOT NULL,
    value    INTEGER,
    at       INTEGER NOT NULL,
    activity TEXT                     -- the activity it answers, when known
);
CREATE INDEX outcomes_by_customer ON outcomes (customer, kind);

CREATE TRIGGER contact_log_stays BEFORE UPDATE ON contact_log BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER contact_log_remains BEFORE DELETE ON contact_log BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER wishes_stay BEFORE UPDATE ON wishes BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER wishes_remain BEFORE DELETE ON wishes BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER outcomes_stay BEFORE UPDATE ON outcomes BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER outcomes_remain BEFORE DELETE ON outcomes BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER only_waiting_contacts_go BEFORE DELETE ON contacts WHEN OLD.state <> 'planned'
BEGIN SELECT RAISE(ABORT, 'append-only'); END;
