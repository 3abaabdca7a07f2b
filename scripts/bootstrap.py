"""Prepare a release: migrate the database, publish the definitions, declare the queues. Safe to repeat."""

from __future__ import annotations

import argparse
import getpass

from models import migrations
from models.kernel.errors import ConfigurationError
from models.kernel.storage import database, resealing
from models.publishing import publishing, retirement
from queues import topology
from scripts import _cli, defs


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.bootstrap", description=__doc__)
    parser.add_argument(
        "--demo", action="store_true", help="also create the channel accounts, users and API key of the demo"
    )
    options = parser.parse_args()
    config = _cli.connect("bootstrap")
    found = defs.read_all(demo=options.demo)
    applied = migrations.run(_cli.progress)
    _cli.progress(f"schema: {applied} migrations applied")
    if config.embedded and (
        sealed := resealing.rotate()
    ):  # no other program of an earlier release runs on this database
        _cli.progress(f"secrets: {sealed} values encrypted")
    with database.connection():
        absent = retirement.absent(found, skipped=set() if options.demo else defs.skipped())
    for one in absent:
        _cli.progress(f"{one.kind} {one.name}: its file is gone; `python -m scripts.defs apply` retires it")
    new = defs.publish(found, by=getpass.getuser(), progress=_cli.progress)
    _cli.progress(f"definitions: {new} new versions")
    publishing.check_readable()
    try:
        declared = topology.declare(config)
    except Exception as error:  # whatever the broker's client raises, the operator's remedy is the same
        raise ConfigurationError(f"cannot declare the queues at BROKER_URL: {type(error).__name__}: {error}") from error
    _cli.progress(f"queues: {', '.join(declared) or 'none (embedded broker)'}")
    if options.demo:
        from scripts import seed

        seed.people()
        _cli.progress("demo users and API key")
    return 0


if __name__ == "__main__":
    _cli.end(main)
