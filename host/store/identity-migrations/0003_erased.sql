-- Who asked to be forgotten. Only the pseudonymous key stays, so that no later import brings the person back.
CREATE TABLE erased (
    customer BLOB PRIMARY KEY,
    at       INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TRIGGER erased_stay_erased BEFORE INSERT ON identities
WHEN EXISTS (SELECT 1 FROM erased WHERE customer = NEW.customer)
BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER erased_remain BEFORE DELETE ON erased BEGIN SELECT RAISE(ABORT, 'append-only'); END;
