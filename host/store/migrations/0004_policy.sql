-- Policy at full strength: versions of the policy that a second person approves, calendars, tiers, carried losers.

-- What was approved last is in force. Older versions stay: plans pin them.
CREATE TABLE policy_versions (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    digest      TEXT NOT NULL,
    document    TEXT NOT NULL,        -- canonical JSON
    base        TEXT NOT NULL,        -- digest of what was in force when it was proposed
    note        TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('proposed', 'approved', 'rejected')),
    standing    TEXT NOT NULL,        -- the state machine's value
    author      TEXT NOT NULL,
    decider     TEXT
);
CREATE INDEX policy_versions_by_digest ON policy_versions (digest);
-- Policies of before were put in force by one person; who it was stands in the audit log.
INSERT INTO policy_versions (digest, document, base, note, state, standing, author, decider)
    SELECT digest, document, '', '', 'approved', json_object('state', 'approved',
        'author', json_object('person', 'host', 'at', 0), 'decider', json_object('person', 'host', 'at', 0)), 'host', 'host'
    FROM policies ORDER BY id;
DROP TABLE policies;

-- Four eyes hold whatever the program above believes. The first policy of an installation is nobody's decision.
CREATE TRIGGER policy_four_eyes BEFORE UPDATE ON policy_versions
WHEN NEW.state = 'approved' AND (NEW.decider IS NULL OR NEW.decider = NEW.author)
BEGIN SELECT RAISE(ABORT, 'four-eyes'); END;
CREATE TRIGGER policy_four_eyes_at_birth BEFORE INSERT ON policy_versions
WHEN (NEW.state <> 'proposed' OR NEW.decider IS NOT NULL) AND EXISTS (SELECT 1 FROM policy_versions)
BEGIN SELECT RAISE(ABORT, 'four-eyes'); END;
CREATE TRIGGER policy_decided_once BEFORE UPDATE ON policy_versions
WHEN OLD.state <> 'proposed' OR NEW.digest <> OLD.digest OR NEW.document <> OLD.document OR NEW.author <> OLD.author
    OR NEW.base <> OLD.base OR NEW.decider IS NULL
BEGIN SELECT RAISE(ABORT, 'decided-once'); END;
CREATE TRIGGER policy_versions_stay BEFORE DELETE ON policy_versions
BEGIN SELECT RAISE(ABORT, 'decided-once'); END;

-- Public holidays and make-up workdays: the calendar of a year is a blob.
CREATE TABLE calendars (
    year        INTEGER PRIMARY KEY,
    digest      TEXT NOT NULL,
    days        INTEGER NOT NULL,
    imported_by TEXT NOT NULL,
    imported_at INTEGER NOT NULL
);

-- Rank of the customer's tier when it was planned, 0 the first.
ALTER TABLE contacts ADD COLUMN tier INTEGER NOT NULL DEFAULT 255;

-- The oldest snapshot that a campaign may run on, in days before the business date.
ALTER TABLE campaigns ADD COLUMN max_snapshot_days INTEGER NOT NULL DEFAULT 7;

-- Losers that are still useful: candidates of later plans until their not-after. The last line of a candidate holds.
CREATE TABLE carried (
    seq        INTEGER PRIMARY KEY,
    plan       TEXT NOT NULL,
    date       INTEGER NOT NULL,      -- business date of the plan in which it lost
    campaign   TEXT NOT NULL,
    customer   BLOB NOT NULL,
    occasion   INTEGER NOT NULL,
    reason     TEXT NOT NULL,
    score      REAL NOT NULL,
    not_before INTEGER NOT NULL,
    not_after  INTEGER NOT NULL,
    open       INTEGER NOT NULL       -- 0: it was answered for good
);
CREATE INDEX carried_by_customer ON carried (customer);
CREATE TRIGGER carried_stays BEFORE UPDATE ON carried BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER carried_remains BEFORE DELETE ON carried BEGIN SELECT RAISE(ABORT, 'append-only'); END;
