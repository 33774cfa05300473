-- Who the pseudonymous keys are. A file of its own, so that it can be deleted, encrypted and kept apart.
CREATE TABLE identities (
    customer       BLOB PRIMARY KEY,
    external_id    TEXT NOT NULL,
    surname        TEXT NOT NULL,
    name           TEXT NOT NULL,
    msisdn         TEXT NOT NULL,
    email          TEXT NOT NULL,
    close_contacts TEXT NOT NULL      -- JSON: [{"name","msisdn"}]
) WITHOUT ROWID;
CREATE INDEX identities_by_msisdn ON identities (msisdn);
