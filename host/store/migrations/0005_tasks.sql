-- Tasks that several processes share, and plans that somebody pauses or calls off.

-- Who has a task: it is free again when its lease has passed. Instants are Unix milliseconds by the database's clock,
-- the one that all who share a store have in common.
ALTER TABLE tasks ADD COLUMN holder TEXT NOT NULL DEFAULT '';
ALTER TABLE tasks ADD COLUMN renewed_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN lease INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN done_at INTEGER;

-- `tallies` of a running plan: release is decided, and its contacts are being made visible.
ALTER TABLE plans ADD COLUMN halt TEXT CHECK (halt IN ('paused', 'cancelled'));
ALTER TABLE plans ADD COLUMN halted TEXT;     -- who, when and why
CREATE TRIGGER cancelled_plans_stay BEFORE UPDATE ON plans WHEN OLD.halt = 'cancelled'
BEGIN SELECT RAISE(ABORT, 'append-only'); END;

-- What waits for release is found without walking through what was released.
CREATE INDEX contacts_planned ON contacts (plan) WHERE state = 'planned';
