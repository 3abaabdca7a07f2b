"""Index whose the stored events are, for events of releases before the index.

`python -m scripts.privacy index` reads each event without an index once, and stores the addresses of its people. The
export and the erasure of a person's data find events by this index. The command can be stopped and started again: it
goes on with the events that it has not read.
"""

from __future__ import annotations

import argparse
from uuid import UUID

from models import migrations
from models.inbox import queries
from models.kernel.storage import database
from queues import people_index
from scripts import _cli

_BATCH_EVENTS = 200  # one transaction; some megabytes of raw events


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.privacy", description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("index", help="read the people of events that have no index")
    parser.parse_args()
    _cli.connect("privacy", only_look=True)
    migrations.check()
    print(f"indexed {_index()} events")
    return 0


def _index() -> int:
    done, last = 0, UUID(int=0)
    while True:
        with database.transaction():
            found = people_index.index_some(queries.unindexed(after=last, limit=_BATCH_EVENTS))
        if not found:
            return done
        done, last = done + len(found), found[-1]
        _cli.progress(f"{done} events, up to {last}")


if __name__ == "__main__":
    _cli.end(main)
