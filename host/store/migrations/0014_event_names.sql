-- By what an event is known again, as its source says it. Sources count, or name by time: ids that follow each other are
-- neighbours, so that a thousand of them touch a few pages. Hashes of them touched a page each.
CREATE TABLE event_sources (
    number INTEGER PRIMARY KEY,
    source TEXT NOT NULL UNIQUE
);
CREATE TABLE event_names (
    source INTEGER NOT NULL REFERENCES event_sources (number),
    id     TEXT NOT NULL,
    batch  INTEGER NOT NULL,
    PRIMARY KEY (source, id)
) WITHOUT ROWID;
INSERT INTO event_sources (source)
    SELECT DISTINCT event.value ->> '$.source' FROM event_batches batch, json_each(CAST(batch.events AS TEXT)) event;
INSERT INTO event_names (source, id, batch)
    SELECT source.number, event.value ->> '$.id', batch.number
    FROM event_batches batch, json_each(CAST(batch.events AS TEXT)) event
    JOIN event_sources source ON source.source = event.value ->> '$.source'
    WHERE true ON CONFLICT DO NOTHING;
DROP TABLE event_ids;
