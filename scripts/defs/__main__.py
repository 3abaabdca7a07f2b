"""Check, compare, test, draw, publish and replay the definitions of workflow_defs/, and migrate tickets between
versions.
"""

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
        "check the files: schema and static analysis; exit code 1 when there are errors",
    )
    check.add_argument("paths", nargs="*", type=Path, help="files; default: all of workflow_defs/")
    check.add_argument(
        "--strict", action="store_true", help="treat warnings as errors, except for missing translations"
    )
    check.add_argument(
        "--translations",
        choices=["error", "warn", "ignore"],
        default="warn",
        help="texts that lack a language of the desk (default: warn)",
    )
    check.add_argument("--json", action="store_true", help="print JSON")
    schema = verb("schema", checking.schema, "write the JSON Schemas for editors to workflow_defs/schema/")
    schema.add_argument("--to", type=Path, default=None, help="write to this folder instead")
    diff = verb(
        "diff",
        showing.diff,
        "describe the difference of two definitions; by default of the files and the versions in force",
    )
    diff.add_argument("a", nargs="?", help="FILE, NAME or NAME@VERSION")
    diff.add_argument("b", nargs="?", help="FILE, NAME or NAME@VERSION")
    diff.add_argument("--table", action="store_true", help="print a table")
    draw = verb("draw", showing.draw, "draw the states and transitions of a life cycle")
    draw.add_argument("name", help="FILE, or the NAME of a life cycle below workflow_defs/")
    draw.add_argument("--format", choices=["svg", "mermaid"], default="svg")
    draw.add_argument("--language", metavar="TAG", help="language of the labels (default: the desk's first)")
    draw.add_argument("--output", type=Path, help="write to this file; default: standard output")
    test = verb("test", testing.test, "run the scenario files")
    test.add_argument("names", nargs="*", help="names of life cycles; default: all")
    simulate = verb(
        "simulate",
        stepping.simulate,
        "step through a life cycle in an interactive session; the command `help` lists the commands",
    )
    simulate.add_argument("name", help="FILE, or the NAME of a life cycle below workflow_defs/")
    simulate.add_argument("--script", type=Path, help="read the commands from this file; - is standard input")
    plan = verb("plan", releasing.plan, "show the changes that `apply` would publish; writes nothing")
    plan.add_argument("--json", action="store_true", help="print JSON")
    apply = verb(
        "apply", releasing.apply, "publish a new version of every definition that differs from the version in force"
    )
    apply.add_argument("--keep-absent", action="store_true", help="keep definitions in force whose file is gone")
    for one in (check, plan, apply, diff):
        one.add_argument("--demo", action="store_true", help="include the channel accounts of the demo")
    rollback = verb(
        "rollback", releasing.rollback, "put an earlier version in force; existing tickets keep their version"
    )
    rollback.add_argument("name", help="name of the definition")
    rollback.add_argument("--to", type=int, metavar="VERSION", help="default: the version that was in force before")
    history = verb(
        "history",
        releasing.history,
        "list the versions of a definition: author, time, reason, and which one is in force",
    )
    history.add_argument("name", help="name of the definition")
    for one in (rollback, history):
        one.add_argument(
            "--kind",
            choices=["workflow", "model", "teams", "desk", "fragment", "channel", "answers"],
            default="workflow",
            help="kind of the definition (default: workflow)",
        )
    migrate = verb(
        "migrate", moving.migrate, "move open tickets to another version of their life cycle, or to another life cycle"
    )
    migrate.add_argument("name", nargs="?", help="name of the life cycle")
    migrate.add_argument("--to", type=int, metavar="VERSION", help="target version")
    migrate.add_argument("--to-name", help="name of another life cycle as the target")
    migrate.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="OLD=NEW",
        help="move tickets in state OLD to state NEW; repeatable",
    )
    migrate.add_argument("--dry-run", action="store_true", help="check and count the tickets; change nothing")
    migrate.add_argument("--resume", metavar="ID", help="continue an interrupted migration")
    migrate.add_argument("--reverse", metavar="ID", help="move the tickets of a finished migration back")
    replay = verb(
        "replay", moving.replay, "run recorded events through a draft and show what would differ; writes nothing"
    )
    replay.add_argument("name", help="name of the life cycle")
    replay.add_argument("--days", type=float, default=30.0, help="age of the oldest events, in days (default: 30)")
    replay.add_argument("--file", type=Path, help="the draft; default: the file below workflow_defs/")
    replay.add_argument("--json", action="store_true", help="print JSON")
    for one in (apply, rollback, migrate):
        one.add_argument("--by", default=getpass.getuser(), help="recorded as the author (default: your user name)")
    for one in (apply, rollback):
        one.add_argument("--reason", default="", help="recorded with the version")
    return parser


def main() -> int:
    options = _parser().parse_args()
    run: Verb = options.run
    return run(options)


if __name__ == "__main__":
    _cli.end(main)
