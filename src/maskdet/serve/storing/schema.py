"""The tables of a site's database."""

# Grows with each change that an older maskdet could not read.
VERSION = 1

SCHEMA = """
-- What was seen in a span of time: faces summed over frames, and people when they came. A row
-- whose label is empty has the number of frames as its faces.
CREATE TABLE IF NOT EXISTS counts (
    span INTEGER NOT NULL,          -- seconds: 60 or 3600
    start INTEGER NOT NULL,         -- seconds since 1970, UTC
    camera TEXT NOT NULL,
    label TEXT NOT NULL,
    faces INTEGER NOT NULL DEFAULT 0,
    people INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (span, start, camera, label)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS crossings (
    span INTEGER NOT NULL,
    start INTEGER NOT NULL,
    camera TEXT NOT NULL,
    line TEXT NOT NULL,
    label TEXT NOT NULL,
    inward INTEGER NOT NULL DEFAULT 0,
    outward INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (span, start, camera, line, label)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,             -- alert, state
    camera TEXT NOT NULL,
    time REAL NOT NULL,             -- seconds since 1970, UTC
    label TEXT NOT NULL,            -- of an alert; of a state its name
    record TEXT NOT NULL,           -- JSON: what is delivered
    snapshot TEXT                   -- file below the site's folder
);
CREATE INDEX IF NOT EXISTS events_time ON events (time);

-- What is still to be told, a row for each event and channel.
CREATE TABLE IF NOT EXISTS deliveries (
    event INTEGER NOT NULL REFERENCES events (number) ON DELETE CASCADE,
    channel TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL,
    PRIMARY KEY (event, channel)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (channel, event);

CREATE TABLE IF NOT EXISTS videos (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    file TEXT NOT NULL UNIQUE,      -- below the site's folder
    camera TEXT NOT NULL,
    event TEXT,                     -- id of what a clip is of
    start REAL NOT NULL,
    seconds REAL NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    is_whole INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS videos_event ON videos (event);
CREATE INDEX IF NOT EXISTS videos_start ON videos (start);
"""
