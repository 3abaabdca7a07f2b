"""`python -m scripts.defs check|apply [--demo]`: check or publish the definitions of workflow_defs/."""

from __future__ import annotations

import argparse
import getpass

from models import migrations
from scripts import _cli, defs


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.defs", description=__doc__)
    parser.add_argument("verb", choices=["check", "apply"])
    parser.add_argument("--demo", action="store_true", help="also the demo's channel accounts")
    options = parser.parse_args()
    found = defs.read_all(demo=options.demo)
    if options.verb == "check":
        print(f"{len(found)} definitions are fine")
        return 0
    _cli.connect("defs")
    migrations.check()
    new = defs.publish(found, by=getpass.getuser(), progress=_cli.progress)
    print(f"{new} new versions, {len(found) - new} unchanged")
    return 0


if __name__ == "__main__":
    _cli.end(main)
