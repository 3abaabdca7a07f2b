"""Removal of erased bytes from the free space of the database's files.

SQLite leaves deleted content in free pages unless secure_delete is on, and in its write-ahead log until a checkpoint
truncates it (https://www.sqlite.org/pragma.html#pragma_secure_delete). PostgreSQL leaves dead rows until a vacuum,
which cannot run in a transaction; SECURITY.md says what an operator runs.
"""

from __future__ import annotations

from models.kernel.storage import database
from models.kernel.telemetry import logs

log = logs.get("privacy")


def overwrite() -> None:
    """Overwrite with zeros what the rest of the transaction deletes, and empty the write-ahead log after its commit."""
    if database.is_postgres():
        return
    database.execute("PRAGMA secure_delete = ON")
    database.on_commit(_truncate_log)


def _truncate_log() -> None:
    with database.connection():
        (result,) = database.run("PRAGMA wal_checkpoint(TRUNCATE)")
        if result["busy"]:
            # A reader needs the log; the checkpoint at the close of the last connection removes it.
            log.warning("write_ahead_log_kept", reason="a reader uses it")
