-- The gate: persons with roles, signed approvals, the whole life of a submission, kill switches, the audit log.

CREATE TABLE appointments (
    person TEXT NOT NULL,
    role   TEXT NOT NULL,
    region TEXT NOT NULL,
    PRIMARY KEY (person, role, region)
) WITHOUT ROWID;

-- Public halves of branch keys, and who signed a version with which.
CREATE TABLE branch_keys (
    id         TEXT PRIMARY KEY,
    public     TEXT NOT NULL UNIQUE,
    owner      TEXT NOT NULL,
    region     TEXT NOT NULL,
    added_at   INTEGER NOT NULL,
    revoked_at INTEGER,
    revoked_because TEXT
) WITHOUT ROWID;
ALTER TABLE versions ADD COLUMN key TEXT NOT NULL DEFAULT '';
ALTER TABLE versions ADD COLUMN signed_by TEXT NOT NULL DEFAULT '';

-- Every line holds the hash of the one before; the head is signed with a key that is not in here.
CREATE TABLE audit (
    number  INTEGER PRIMARY KEY,
    subject TEXT NOT NULL,
    entry   TEXT NOT NULL,
    before  TEXT NOT NULL,
    hash    TEXT NOT NULL
);
CREATE INDEX audit_by_subject ON audit (subject, number);
CREATE TABLE audit_head (
    id        INTEGER PRIMARY KEY CHECK (id = 1),
    number    INTEGER NOT NULL,
    hash      TEXT NOT NULL,
    signature TEXT NOT NULL
);
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER audit_remains BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER audit_head_advances BEFORE UPDATE ON audit_head WHEN NEW.number <= OLD.number
BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER audit_head_remains BEFORE DELETE ON audit_head BEGIN SELECT RAISE(ABORT, 'append-only'); END;

-- A line while the switch is thrown; who lifted it stands in the audit log.
CREATE TABLE switches (
    scope  TEXT NOT NULL,
    target TEXT NOT NULL,
    person TEXT NOT NULL,
    at     INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (scope, target)
) WITHOUT ROWID;

-- Home region of the customer, for switches and figures; empty when unknown.
ALTER TABLE contacts ADD COLUMN region TEXT NOT NULL DEFAULT '';

-- Approvals of before were not signed: campaigns that ran on them stop, their versions wait for the province again.
CREATE TABLE campaigns_of_now (
    id          TEXT PRIMARY KEY,
    activity    TEXT NOT NULL REFERENCES activities (name),
    requirement TEXT NOT NULL,
    component   TEXT NOT NULL REFERENCES versions (component),
    approval    TEXT NOT NULL,
    params      TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('active', 'stopped')),
    started_by  TEXT NOT NULL,
    started_at  INTEGER NOT NULL
);
INSERT INTO campaigns_of_now
    SELECT id, activity, requirement, component, approval, params, 'stopped', started_by, started_at FROM campaigns;
DROP TABLE campaigns;
ALTER TABLE campaigns_of_now RENAME TO campaigns;

CREATE TABLE submissions_of_now (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    component     TEXT NOT NULL REFERENCES versions (component),
    state         TEXT NOT NULL,
    document      TEXT NOT NULL,      -- the state machine's value
    author        TEXT NOT NULL,
    city_reviewer TEXT,
    approver      TEXT,
    approval      TEXT,               -- the approval document
    approval_digest TEXT UNIQUE,
    envelope      TEXT                -- the host's signature over it
);
INSERT INTO submissions_of_now (id, component, state, document, author)
    SELECT id, component, 'provincial-review',
        json_object('state', 'provincial-review', 'author', json_extract(document, '$.author'), 'city', NULL), author
    FROM submissions WHERE state <> 'rejected';
INSERT INTO submissions_of_now (id, component, state, document, author)
    SELECT id, component, 'rejected',
        json_object('state', 'rejected', 'author', json_extract(document, '$.author'),
            'reviewer', json_extract(document, '$.reviewer'), 'ground', 'other',
            'reason', json_extract(document, '$.reason')), author
    FROM submissions WHERE state = 'rejected';
DROP TABLE submissions;
ALTER TABLE submissions_of_now RENAME TO submissions;
CREATE UNIQUE INDEX one_open_submission ON submissions (component) WHERE state NOT IN ('rejected', 'withdrawn');

-- The legal steps, as `care_domain::governance` has them.
CREATE TABLE submission_steps (before TEXT NOT NULL, after TEXT NOT NULL, PRIMARY KEY (before, after)) WITHOUT ROWID;
INSERT INTO submission_steps VALUES
    ('city-review', 'provincial-review'), ('city-review', 'rejected'), ('city-review', 'withdrawn'),
    ('provincial-review', 'approved'), ('provincial-review', 'rejected'), ('provincial-review', 'withdrawn'),
    ('approved', 'active'), ('approved', 'suspended'), ('approved', 'retired'), ('approved', 'withdrawn'),
    ('active', 'suspended'), ('active', 'retired'), ('active', 'withdrawn'),
    ('suspended', 'active'), ('suspended', 'retired'), ('suspended', 'withdrawn');
CREATE TRIGGER legal_steps BEFORE UPDATE OF state ON submissions
WHEN NOT EXISTS (SELECT 1 FROM submission_steps WHERE before = OLD.state AND after = NEW.state)
BEGIN SELECT RAISE(ABORT, 'decided-once'); END;

-- Four eyes hold whatever the program above believes: whoever uploaded, submitted, signed or reviewed first cannot approve,
-- and a city's activity is approved after its city's review alone.
CREATE TRIGGER four_eyes BEFORE UPDATE ON submissions
WHEN (NEW.approver IS NOT OLD.approver AND (NEW.approver = NEW.author OR NEW.approver IS NEW.city_reviewer
        OR NEW.approver IN (SELECT uploaded_by FROM versions WHERE component = NEW.component)
        OR NEW.approver IN (SELECT signed_by FROM versions WHERE component = NEW.component)))
    OR (NEW.city_reviewer IS NOT OLD.city_reviewer AND (NEW.city_reviewer = NEW.author
        OR NEW.city_reviewer IN (SELECT uploaded_by FROM versions WHERE component = NEW.component)
        OR NEW.city_reviewer IN (SELECT signed_by FROM versions WHERE component = NEW.component)))
    OR (NEW.state = 'approved' AND (NEW.approver IS NULL OR NEW.approval IS NULL OR NEW.envelope IS NULL))
    OR (NEW.state = 'approved' AND NEW.city_reviewer IS NULL AND (SELECT json_extract(manifest, '$.owner_region')
        FROM versions WHERE component = NEW.component) NOT LIKE '%0000')
BEGIN SELECT RAISE(ABORT, 'four-eyes'); END;
CREATE TRIGGER four_eyes_at_birth BEFORE INSERT ON submissions
WHEN NEW.state NOT IN ('city-review', 'provincial-review') OR NEW.city_reviewer IS NOT NULL OR NEW.approver IS NOT NULL
    OR NEW.approval IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'four-eyes'); END;
CREATE TRIGGER decided_once BEFORE UPDATE ON submissions
WHEN NEW.author <> OLD.author OR NEW.component <> OLD.component
    OR (OLD.city_reviewer IS NOT NULL AND NEW.city_reviewer IS NOT OLD.city_reviewer)
    OR (OLD.approval IS NOT NULL AND (NEW.approval IS NOT OLD.approval OR NEW.approver IS NOT OLD.approver
        OR NEW.envelope IS NOT OLD.envelope OR NEW.approval_digest IS NOT OLD.approval_digest))
BEGIN SELECT RAISE(ABORT, 'decided-once'); END;
CREATE TRIGGER submissions_stay BEFORE DELETE ON submissions
BEGIN SELECT RAISE(ABORT, 'decided-once'); END;

-- Simulations of a submission; the evidence is a blob.
CREATE TABLE simulations (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    submission    INTEGER NOT NULL REFERENCES submissions (id),
    terms         TEXT NOT NULL,      -- digest of the terms that were simulated
    business_date INTEGER NOT NULL,   -- of the snapshot
    evidence      TEXT NOT NULL,
    person        TEXT NOT NULL,
    at            INTEGER NOT NULL
);
CREATE INDEX simulations_by_submission ON simulations (submission, terms);
CREATE TRIGGER simulations_stay BEFORE UPDATE ON simulations BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER simulations_remain BEFORE DELETE ON simulations BEGIN SELECT RAISE(ABORT, 'append-only'); END;
