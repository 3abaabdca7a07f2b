"""`python -m scripts.defs VERB`: check, compare, publish, test, draw, move and replay the definitions of workflow_defs/."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Callable
from pathlib import Path

from scripts import _cli
from scripts.defs import checking, moving, releasing, showing, stepping, testing

Verb = Callable[[argparse.Namespace], int]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.defs", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name: str, run: Verb, text: str) -> argparse.ArgumentParser:
        one = verbs.add_parser(name, help=text, description=text)
        one.set_defaults(run=run)
        return one

    check = verb(
        "check",
        checking.check,
        "schema and static analysis of the files; exit code 1 when something is wrong",
    )
    check.add_argument("paths", nargs="*", type=Path, help="files; default: all of workflow_defs/")
    check.add_argument("--strict", action="store_true", help="warnings are wrong, too")
    check.add_argument("--json", action="store_true")
    schema = verb("schema", checking.schema, "write workflow_defs/schema/*.json for editors")
    schema.add_argument("--to", type=Path, default=None)
    diff = verb(
        "diff",
        showing.diff,
        "what changed, in words: two of FILE, NAME or NAME@VERSION; default: files against what is in force",
    )
    diff.add_argument("a", nargs="?")
    diff.add_argument("b", nargs="?")
    diff.add_argument("--table", action="store_true")
    draw = verb("draw", showing.draw, "a picture of states and transitions")
    draw.add_argument("name", help="FILE, or the NAME of a life cycle below workflow_defs/")
    draw.add_argument("--format", choices=["svg", "mermaid"], default="svg")
    draw.add_argument("--language", choices=["en", "ru"], default="en")
    draw.add_argument("--output", type=Path, help="default: the terminal")
    test = verb("test", testing.test, "run the scenario files")
    test.add_argument("names", nargs="*", help="life cycles; default: all")
    simulate = verb("simulate", stepping.simulate, "step through a life cycle; `help` lists the commands")
    simulate.add_argument("name", help="FILE, or the NAME of a life cycle below workflow_defs/")
    simulate.add_argument("--script", type=Path, help="read the commands from a file (- is the standard input)")
    plan = verb("plan", releasing.plan, "what publishing would change; writes nothing")
    plan.add_argument("--json", action="store_true")
    apply = verb("apply", releasing.apply, "publish what differs from what is in force")
    for one in (check, plan, apply, diff):
        one.add_argument("--demo", action="store_true", help="also the demo's channel accounts")
    rollback = verb("rollback", releasing.rollback, "put an earlier version in force; tickets stay on theirs")
    rollback.add_argument("name")
    rollback.add_argument("--to", type=int, metavar="VERSION")
    history = verb("history", releasing.history, "versions: who published them and when, which is in force")
    history.add_argument("name")
    for one in (rollback, history):
        one.add_argument("--kind", choices=["workflow", "model", "teams", "channel"], default="workflow")
    migrate = verb("migrate", moving.migrate, "move live tickets to another version of their life cycle")
    migrate.add_argument("name", nargs="?")
    migrate.add_argument("--to", type=int, metavar="VERSION")
    migrate.add_argument("--to-name", help="another life cycle")
    migrate.add_argument("--map", action="append", default=[], metavar="OLD=NEW", help="where tickets of a state go")
    migrate.add_argument("--dry-run", action="store_true", help="check and count only")
    migrate.add_argument("--resume", metavar="ID", help="go on with a migration that was cut off")
    migrate.add_argument("--reverse", metavar="ID", help="move the tickets of a migration back")
    replay = verb("replay", moving.replay, "run the recorded events of the last days through a draft; writes nothing")
    replay.add_argument("name")
    replay.add_argument("--days", type=float, default=30.0)
    replay.add_argument("--file", type=Path, help="the draft; default: the file below workflow_defs/")
    replay.add_argument("--json", action="store_true")
    for one in (apply, rollback, migrate):
        one.add_argument("--by", default=getpass.getuser(), help="who is recorded; default: you")
    for one in (apply, rollback):
        one.add_argument("--reason", default="")
    return parser


def main() -> int:
    options = _parser().parse_args()
    run: Verb = options.run
    return run(options)


if __name__ == "__main__":
    _cli.end(main)
