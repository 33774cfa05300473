-- Requests that name an idempotency key: what was asked, and what was answered. Forgotten after a day.
CREATE TABLE requests (
    caller      TEXT NOT NULL,
    key         TEXT NOT NULL,
    fingerprint BLOB NOT NULL,      -- SHA-256 of what was asked
    server      TEXT NOT NULL,      -- the process that works on it
    begun_at    INTEGER NOT NULL,
    status      INTEGER,            -- NULL while it is worked on
    kind        TEXT,
    body        BLOB,               -- NULL where the answer is shown once
    PRIMARY KEY (caller, key)
) WITHOUT ROWID;
CREATE INDEX requests_by_age ON requests (begun_at);
