-- Did it help: outcomes with their source and contact, experiments of elsewhere, kept evaluations, findings, needs.

-- How it was told (file, api, receipt, reply, call), and the contact that it answers.
ALTER TABLE outcomes ADD COLUMN source TEXT NOT NULL DEFAULT 'file';
ALTER TABLE outcomes ADD COLUMN contact BLOB;
CREATE INDEX outcomes_by_contact ON outcomes (contact, kind) WHERE contact IS NOT NULL;
CREATE INDEX outcomes_by_kind ON outcomes (kind, at);
CREATE INDEX IF NOT EXISTS contact_log_by_contact ON contact_log (contact, seq);
CREATE INDEX controls_by_customer ON controls (customer);
CREATE INDEX controls_by_seq ON controls (seq);

-- An experiment that was run elsewhere: whom it contacted and whom it held out was decided there and is imported.
CREATE TABLE experiments (
    name        TEXT PRIMARY KEY,
    title       TEXT NOT NULL,        -- in both languages, JSON
    digest      TEXT NOT NULL,        -- of mapping and assignments: the same again adds nothing
    imported_by TEXT NOT NULL,
    imported_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE assignments (
    experiment TEXT NOT NULL REFERENCES experiments (name),
    customer   BLOB NOT NULL,
    arm        TEXT NOT NULL,
    at         INTEGER NOT NULL,      -- when it contacted, or would have
    PRIMARY KEY (experiment, customer)
) WITHOUT ROWID;
-- A treated arm against the control arm, evaluated like a campaign; several may share one control.
CREATE TABLE imported_campaigns (
    id          TEXT PRIMARY KEY,
    experiment  TEXT NOT NULL REFERENCES experiments (name),
    treated     TEXT NOT NULL,
    control     TEXT NOT NULL,
    goal        TEXT NOT NULL         -- JSON, as in a manifest
) WITHOUT ROWID;
CREATE TRIGGER assignments_stay BEFORE UPDATE ON assignments BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER assignments_remain BEFORE DELETE ON assignments BEGIN SELECT RAISE(ABORT, 'append-only'); END;

-- When complaints hold a version; the newest is in force.
CREATE TABLE brakes (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    document TEXT NOT NULL
);
-- What the host has to tell somebody.
CREATE TABLE notices (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    person  TEXT NOT NULL,
    at      INTEGER NOT NULL,
    subject TEXT NOT NULL,
    text    TEXT NOT NULL
);
CREATE INDEX notices_by_person ON notices (person, id);

-- Evaluations that somebody kept, as they were told.
CREATE TABLE evaluations (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    campaign  TEXT NOT NULL,
    activity  TEXT NOT NULL,
    component TEXT NOT NULL,          -- the version; empty for an experiment of elsewhere
    metric    TEXT NOT NULL,
    document  TEXT NOT NULL,
    person    TEXT NOT NULL,
    at        INTEGER NOT NULL
);
CREATE INDEX evaluations_by_activity ON evaluations (activity, id);
CREATE TRIGGER evaluations_stay BEFORE UPDATE ON evaluations BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER evaluations_remain BEFORE DELETE ON evaluations BEGIN SELECT RAISE(ABORT, 'append-only'); END;

-- Findings to follow up; decided about once.
CREATE TABLE findings (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    activity TEXT NOT NULL,
    state    TEXT NOT NULL,
    document TEXT NOT NULL
);
CREATE TRIGGER findings_decided_once BEFORE UPDATE ON findings WHEN OLD.state <> 'open'
BEGIN SELECT RAISE(ABORT, 'decided-once'); END;
CREATE TRIGGER findings_remain BEFORE DELETE ON findings BEGIN SELECT RAISE(ABORT, 'decided-once'); END;

-- What needs are made of: no person, no words.
CREATE TABLE need_records (
    id     TEXT PRIMARY KEY,
    source TEXT NOT NULL,
    entry  TEXT NOT NULL,
    region TEXT NOT NULL,
    at     INTEGER NOT NULL,
    score  INTEGER
) WITHOUT ROWID;
CREATE INDEX need_records_by_entry ON need_records (entry, at);
CREATE TABLE needs (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    entry    TEXT NOT NULL,
    state    TEXT NOT NULL,
    document TEXT NOT NULL
);
CREATE TABLE need_answers (
    need     INTEGER NOT NULL REFERENCES needs (id),
    activity TEXT NOT NULL REFERENCES activities (name),
    person   TEXT NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (need, activity)
) WITHOUT ROWID;
