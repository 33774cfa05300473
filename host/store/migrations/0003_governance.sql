-- The whole gate: trial and second review, merging, variants without code, standby activation, budgets.

-- What the gate asks beyond its states; the last one holds.
CREATE TABLE gate_rules (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    rules  TEXT NOT NULL,
    person TEXT NOT NULL,
    at     INTEGER NOT NULL
);
CREATE TRIGGER gate_rules_stay BEFORE UPDATE ON gate_rules BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER gate_rules_remain BEFORE DELETE ON gate_rules BEGIN SELECT RAISE(ABORT, 'append-only'); END;

ALTER TABLE submissions ADD COLUMN trial_reviewer TEXT;
ALTER TABLE submissions ADD COLUMN second_approver TEXT;
DROP INDEX one_open_submission;
CREATE UNIQUE INDEX one_open_submission ON submissions (component) WHERE state NOT IN ('rejected', 'withdrawn', 'merged');
CREATE INDEX submissions_by_component ON submissions (component);

INSERT INTO submission_steps VALUES
    ('city-review', 'trial-review'), ('trial-review', 'provincial-review'), ('trial-review', 'rejected'),
    ('trial-review', 'withdrawn'), ('provincial-review', 'second-review'), ('second-review', 'approved'),
    ('second-review', 'rejected'), ('second-review', 'withdrawn'),
    ('city-review', 'merged'), ('trial-review', 'merged'), ('provincial-review', 'merged'), ('second-review', 'merged'),
    ('approved', 'merged'), ('active', 'merged'), ('suspended', 'merged');

-- Four eyes over everybody who had a part: whoever uploaded, submitted, signed, reviewed or approved before cannot be the
-- next. A person enters a column once.
DROP TRIGGER four_eyes;
CREATE TRIGGER four_eyes BEFORE UPDATE ON submissions
WHEN EXISTS (
        SELECT 1 FROM (
            SELECT NEW.city_reviewer AS person, OLD.city_reviewer AS before, 1 AS step
            UNION ALL SELECT NEW.trial_reviewer, OLD.trial_reviewer, 2
            UNION ALL SELECT NEW.approver, OLD.approver, 3
            UNION ALL SELECT NEW.second_approver, OLD.second_approver, 4) AS deciding
        WHERE person IS NOT before AND (
            person = NEW.author
            OR person IN (SELECT uploaded_by FROM versions WHERE component = NEW.component)
            OR person IN (SELECT signed_by FROM versions WHERE component = NEW.component)
            OR (step > 1 AND person IS NEW.city_reviewer)
            OR (step > 2 AND person IS NEW.trial_reviewer)
            OR (step > 3 AND person IS NEW.approver)))
    OR (NEW.state = 'second-review' AND NEW.approver IS NULL)
    OR (OLD.state = 'second-review' AND NEW.state = 'approved' AND NEW.second_approver IS NULL)
    OR (NEW.state = 'approved' AND (NEW.approver IS NULL OR NEW.approval IS NULL OR NEW.envelope IS NULL))
    OR (NEW.state = 'approved' AND NEW.city_reviewer IS NULL AND (SELECT json_extract(manifest, '$.owner_region')
        FROM versions WHERE component = NEW.component) NOT LIKE '%0000')
BEGIN SELECT RAISE(ABORT, 'four-eyes'); END;
DROP TRIGGER four_eyes_at_birth;
CREATE TRIGGER four_eyes_at_birth BEFORE INSERT ON submissions
WHEN NEW.state NOT IN ('city-review', 'trial-review', 'provincial-review') OR NEW.city_reviewer IS NOT NULL
    OR NEW.trial_reviewer IS NOT NULL OR NEW.approver IS NOT NULL OR NEW.second_approver IS NOT NULL
    OR NEW.approval IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'four-eyes'); END;
DROP TRIGGER decided_once;
CREATE TRIGGER decided_once BEFORE UPDATE ON submissions
WHEN NEW.author <> OLD.author OR NEW.component <> OLD.component
    OR (OLD.city_reviewer IS NOT NULL AND NEW.city_reviewer IS NOT OLD.city_reviewer)
    OR (OLD.trial_reviewer IS NOT NULL AND NEW.trial_reviewer IS NOT OLD.trial_reviewer)
    OR (OLD.approver IS NOT NULL AND NEW.approver IS NOT OLD.approver)
    OR (OLD.second_approver IS NOT NULL AND NEW.second_approver IS NOT OLD.second_approver)
    OR (OLD.approval IS NOT NULL AND (NEW.approval IS NOT OLD.approval OR NEW.envelope IS NOT OLD.envelope
        OR NEW.approval_digest IS NOT OLD.approval_digest))
BEGIN SELECT RAISE(ABORT, 'decided-once'); END;

-- A variant runs the code of its base under a digest of its own: `component` names the version, `code` what is run.
ALTER TABLE versions ADD COLUMN code TEXT NOT NULL DEFAULT '';
ALTER TABLE versions ADD COLUMN base TEXT;        -- component of the version that a variant rests on
ALTER TABLE versions ADD COLUMN variant TEXT;     -- what was proposed
ALTER TABLE versions ADD COLUMN findings TEXT NOT NULL DEFAULT '[]';     -- what the checks found, for the approver
UPDATE versions SET code = component;

-- What a duty officer activated of a standby approval.
CREATE TABLE activations (
    campaign TEXT PRIMARY KEY REFERENCES campaigns (id),
    bounds   TEXT NOT NULL,
    reason   TEXT NOT NULL,
    review   TEXT NOT NULL,
    reviewer TEXT
) WITHOUT ROWID;
CREATE TRIGGER activation_reviewed_by_another BEFORE UPDATE ON activations
WHEN NEW.reviewer IS NULL OR NEW.reviewer = (SELECT started_by FROM campaigns WHERE id = NEW.campaign)
BEGIN SELECT RAISE(ABORT, 'four-eyes'); END;
CREATE TRIGGER activation_reviewed_once BEFORE UPDATE ON activations
WHEN OLD.reviewer IS NOT NULL OR NEW.bounds <> OLD.bounds OR NEW.reason <> OLD.reason
BEGIN SELECT RAISE(ABORT, 'decided-once'); END;
CREATE TRIGGER activations_remain BEFORE DELETE ON activations BEGIN SELECT RAISE(ABORT, 'append-only'); END;

-- What a message costs, where a budget pays for it; why release cut a candidate.
ALTER TABLE contacts ADD COLUMN cost_fen INTEGER NOT NULL DEFAULT 0;
ALTER TABLE release_cuts ADD COLUMN rule TEXT NOT NULL DEFAULT 'capacity';
