"""Compute the numbers of the desk again, from the events of all tickets.

`python -m scripts.numbers recompute` gives the same numbers as the desk has computed event by event. After a change of
the desk's time zone or of working hours it applies them to the past. The command can be stopped; `--after ID` goes on.
"""

from __future__ import annotations

import argparse
from uuid import UUID

from models import migrations
from models.events.following import consumers
from models.kernel.storage import database
from models.numbers import following
from models.numbers.consumer import CONSUMER
from scripts import _cli


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.numbers", description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    recompute = verbs.add_parser("recompute", help="compute the facts and sums of all tickets")
    recompute.add_argument("--after", type=UUID, metavar="ID", help="go on after the ticket that was shown last")
    options = parser.parse_args()
    _cli.connect("numbers", only_look=True)
    migrations.check()
    with database.transaction():
        consumers.ensure([CONSUMER])
    done = following.recompute(lambda count, last: _cli.progress(f"{count} tickets, up to {last}"), after=options.after)
    print(f"computed {done} tickets")
    return 0


if __name__ == "__main__":
    _cli.end(main)
