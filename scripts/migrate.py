"""`python -m scripts.migrate [--check]`: bring the database's schema up to this release; safe to run by several processes at once."""

from __future__ import annotations

import argparse

from models import migrations
from scripts import _cli


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.migrate", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="only say whether the schema fits; exit code 1 when it does not"
    )
    options = parser.parse_args()
    _cli.connect("migrate")
    if options.check:
        migrations.check()
        print("the schema fits this release")
        return 0
    count = migrations.run(_cli.progress)
    print(f"{count} migrations applied" if count else "the schema is up to date")
    return 0


if __name__ == "__main__":
    _cli.end(main)
