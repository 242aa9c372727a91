"""The tables of the index, and what a file of another version means."""

from __future__ import annotations

# Counted up with every change of a table, or of a tuple that rows of traces hold: an index of another version is made anew from the files.
SCHEMA_VERSION = 5

STATEMENTS = (
    # One row a trace: what reusing it takes, with the stat facts of its files and of its manifest, which has the rest.
    """CREATE TABLE traces (
        key TEXT NOT NULL, stage TEXT NOT NULL, made_at REAL NOT NULL, result BLOB NOT NULL, crc INTEGER NOT NULL)""",
    # Twelve digits tell keys apart, and of an index of whole ones each row that is written changes another page. Should two end
    # alike, the index has the later one, and the other is read from its manifest.
    "CREATE UNIQUE INDEX traces_by_key ON traces (substr(key, -12))",
    "CREATE INDEX traces_by_stage ON traces (stage, made_at)",
    # Which parameters calls of a stage have read; `seen_at` orders them.
    """CREATE TABLE read_sets (
        stage TEXT NOT NULL, code TEXT NOT NULL, reads TEXT NOT NULL, seen_at REAL NOT NULL,
        PRIMARY KEY (stage, code, reads)) WITHOUT ROWID""",
    # Digests of paths, and the stat facts under which they hold.
    """CREATE TABLE files (
        path TEXT PRIMARY KEY, digest TEXT NOT NULL, size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
        inode INTEGER NOT NULL, print TEXT NOT NULL) WITHOUT ROWID""",
    # `stamp` tells of which `run.json` a row was made; `metrics` are those of `summary`, for conditions on them.
    """CREATE TABLE runs (
        reference TEXT PRIMARY KEY, experiment TEXT NOT NULL, number INTEGER, started_at TEXT, finished_at TEXT,
        outcome TEXT NOT NULL, live INTEGER NOT NULL DEFAULT 0, stamp TEXT NOT NULL DEFAULT '',
        metrics TEXT NOT NULL DEFAULT '{}', summary TEXT NOT NULL DEFAULT '{}')""",
    "CREATE INDEX runs_by_start ON runs (started_at)",
    "CREATE INDEX runs_by_experiment ON runs (experiment, number)",
    # Which fillers have put their rows in.
    "CREATE TABLE filled (name TEXT PRIMARY KEY) WITHOUT ROWID",
    # Processes that write now. A row whose process is dead tells that rows of its last moments may be missing.
    "CREATE TABLE writers (id INTEGER PRIMARY KEY, process TEXT NOT NULL, began_at REAL NOT NULL)",
)
