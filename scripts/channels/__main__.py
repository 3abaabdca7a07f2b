"""`python -m scripts.channels VERB`: check, test, set up and look at channel accounts."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from scripts import _cli
from scripts.channels import checking, reaching

Verb = Callable[[argparse.Namespace], int]
_NAME = (
    "CHANNEL.ACCOUNT, such as telegram.support; its file below workflow_defs/channels/, or what is published"
)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.channels", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name: str, run: Verb, text: str) -> argparse.ArgumentParser:
        one = verbs.add_parser(name, help=text, description=text)
        one.set_defaults(run=run)
        return one

    check = verb(
        "check", checking.check, "the files of channel accounts; exit code 1 when something is wrong"
    )
    check.add_argument("paths", nargs="*", type=Path, help="files; default: workflow_defs/channels/")
    check.add_argument(
        "--credentials", action="store_true", help="also that every credential that a file names is there"
    )
    test = verb("test", reaching.test, "log in wherever the account says: Bot API, SMTP, IMAP; sends nothing")
    test.add_argument("name", help=_NAME)
    setup = verb(
        "setup",
        reaching.setup,
        "Telegram: set webhook, secret token, allowed updates and menu; else: what to enter where",
    )
    setup.add_argument("name", help=_NAME)
    setup.add_argument("--public-url", help="where the desk is reached from outside; default: PUBLIC_URL")
    status = verb(
        "status", reaching.status, "how every published account is doing; exit code 1 when one is not well"
    )
    status.add_argument("--json", action="store_true")
    return parser


def main() -> int:
    args = _parser().parse_args()
    run: Verb = args.run
    return run(args)


if __name__ == "__main__":
    _cli.end(main)
