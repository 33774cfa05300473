-- How persons show who they are where no program does it for them. Hashes alone are kept (argon2id).
CREATE TABLE passwords (
    person       TEXT PRIMARY KEY,
    hash         TEXT NOT NULL,
    once         INTEGER NOT NULL,           -- it opens nothing but its own change
    failures     INTEGER NOT NULL DEFAULT 0, -- since it was last right
    locked_until INTEGER NOT NULL DEFAULT 0,
    changed_at   INTEGER NOT NULL
) WITHOUT ROWID;
