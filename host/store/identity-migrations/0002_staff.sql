-- Numbers of our own staff: they get test messages, and as seeds a copy of what campaigns send.
CREATE TABLE staff (
    name   TEXT PRIMARY KEY,
    msisdn TEXT NOT NULL,
    email  TEXT NOT NULL,
    seed   INTEGER NOT NULL
) WITHOUT ROWID;
