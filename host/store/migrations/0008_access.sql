-- Tokens of programs: the hash alone is kept.
CREATE TABLE tokens (
    id         TEXT PRIMARY KEY,
    hash       BLOB NOT NULL UNIQUE,
    person     TEXT NOT NULL,
    role       TEXT NOT NULL,
    region     TEXT NOT NULL,
    made_by    TEXT NOT NULL,
    made_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER
) WITHOUT ROWID;
CREATE TRIGGER tokens_remain BEFORE DELETE ON tokens BEGIN SELECT RAISE(ABORT, 'append-only'); END;
-- What a token opens was said when it was made; it may only be ended, and once.
CREATE TRIGGER tokens_are_fixed BEFORE UPDATE ON tokens
WHEN OLD.revoked_at IS NOT NULL OR NEW.revoked_at IS NULL OR NEW.id <> OLD.id OR NEW.hash <> OLD.hash
  OR NEW.person <> OLD.person OR NEW.role <> OLD.role OR NEW.region <> OLD.region OR NEW.expires_at <> OLD.expires_at
BEGIN SELECT RAISE(ABORT, 'append-only'); END;
