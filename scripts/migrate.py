"""Migrate the database's schema to this release. Several processes may run it at once."""

from __future__ import annotations

import argparse

from models import migrations
from scripts import _cli


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.migrate", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="only check the schema; exit code 1 when it does not fit this release"
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
