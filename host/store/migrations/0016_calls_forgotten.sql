-- What was said in calls is forgotten as what was said in contacts is, and calls go as contacts do: by retention alone.
ALTER TABLE prompts ADD COLUMN forgotten_at INTEGER;
CREATE INDEX prompts_by_call ON prompts (call);
CREATE INDEX calls_by_age ON calls (at);
DROP TRIGGER prompts_are_answered_once;
CREATE TRIGGER prompts_are_answered_once BEFORE UPDATE ON prompts
WHEN OLD.state <> 'shown' AND NOT EXISTS (SELECT 1 FROM forgetting)
BEGIN SELECT RAISE(ABORT, 'append-only'); END;
DROP TRIGGER prompts_remain;
CREATE TRIGGER prompts_remain BEFORE DELETE ON prompts WHEN NOT EXISTS (SELECT 1 FROM forgetting)
BEGIN SELECT RAISE(ABORT, 'append-only'); END;
