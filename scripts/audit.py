"""Read the audit trail as CSV, and delete its old months.

`python -m scripts.audit export --since 2026-01-01 > audit.csv` writes the entries of a period, newest first.
`python -m scripts.audit delete --before 2026-01-01` deletes the calendar months (UTC) that end before that day; the
deletion stays on record with the name of the operating-system user.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from datetime import UTC, datetime
from itertools import islice

from models import migrations
from models.audit import entries, queries, retention
from models.audit.actions import AuditAction
from models.audit.callers import calling
from models.kernel import clock
from models.kernel.storage import database
from scripts import _cli

_BATCH_ROWS = 1_000  # some 300 KB of CSV; the memory of one batch


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.audit", description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    export = verbs.add_parser("export", help="write entries as CSV to standard output")
    export.add_argument("--since", type=_day, help="first day (UTC), such as 2026-01-31 (default: the oldest entry)")
    export.add_argument("--until", type=_day, help="first day that is left out (default: now)")
    delete = verbs.add_parser("delete", help="delete the calendar months that end before a day")
    delete.add_argument("--before", type=_day, required=True, help="day (UTC), such as 2026-01-31")
    options = parser.parse_args()
    _cli.connect("audit", only_look=True)
    migrations.check()
    with calling(kind="operator"):
        return _export(options.since, options.until) if options.verb == "export" else _delete(options.before)


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"expected a day like 2026-01-31, found {text!r}") from error


def _export(since: datetime | None, until: datetime | None) -> int:
    found = queries.everything(queries.Filters(since=since, until=until or clock.now()))
    written = 0
    while batch := list(islice(found, _BATCH_ROWS)):
        sys.stdout.write(queries.as_csv(batch, header=written == 0))
        written += len(batch)
    entries.record_apart(AuditAction.audit_exported, "audit", None, after={"rows": written})
    print(f"{written} entries", file=sys.stderr)
    return 0


def _delete(before: datetime) -> int:
    with database.connection():
        deleted = retention.delete_before(before, started_by=getpass.getuser())
    print(f"deleted {deleted} entries of the months that ended before {before:%Y-%m-%d}")
    return 0


if __name__ == "__main__":
    _cli.end(main)
