"""The tables of the queue, and how those of an earlier version become today's.

A database from a later version is refused: what it says there could be misread.
"""

import sqlite3
from collections.abc import Sequence

from pipeline.errors import StorageError

#: Each script takes the tables from the version that is its place here to the next one. Those
#: that have been released are never changed.
MIGRATIONS = (
    """
    CREATE TABLE jobs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice
        client_id TEXT UNIQUE,
        url TEXT NOT NULL,
        output TEXT NOT NULL,
        options TEXT NOT NULL,  -- JSON
        priority INTEGER NOT NULL,
        state TEXT NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        wish TEXT,
        created REAL NOT NULL,
        started REAL,
        ended REAL,
        not_before REAL NOT NULL DEFAULT 0,
        receipt TEXT,  -- JSON
        error TEXT,
        exit_code INTEGER
    );
    CREATE INDEX jobs_waiting ON jobs (priority DESC, id) WHERE state = 'queued';
    CREATE INDEX jobs_by_state ON jobs (state, id);
    CREATE INDEX jobs_by_output ON jobs (output);
    """,
)


def migrate(connection: sqlite3.Connection, migrations: Sequence[str] = MIGRATIONS) -> None:
    """Bring the tables up to date, each step whole or not at all. Raises StorageError."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(migrations):
        raise StorageError(
            f"The queue was written by a later version of hlspipe (its format is {version}, known"
            f" here is {len(migrations)}): install that one"
        )
    for number, script in enumerate(migrations[version:], version + 1):
        connection.executescript(f"BEGIN; {script}; PRAGMA user_version = {number}; COMMIT;")
