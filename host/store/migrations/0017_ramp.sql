-- In which steps a campaign ramps up, as JSON; null where it begins with everybody who was granted.
ALTER TABLE campaigns ADD COLUMN ramp TEXT;
