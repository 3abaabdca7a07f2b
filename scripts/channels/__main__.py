"""`python -m scripts.channels VERB`: check, test, set up and look at channel accounts."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from scripts import _cli
from scripts.channels import checking, reaching, replaying

Verb = Callable[[argparse.Namespace], int]
_NAME = "CHANNEL.ACCOUNT, such as telegram.support; its file below workflow_defs/channels/, or what is published"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.channels", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name: str, run: Verb, text: str) -> argparse.ArgumentParser:
        one = verbs.add_parser(name, help=text, description=text)
        one.set_defaults(run=run)
        return one

    check = verb("check", checking.check, "the files of channel accounts; exit code 1 when something is wrong")
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
    status = verb("status", reaching.status, "how every published account is doing; exit code 1 when one is not well")
    status.add_argument("--json", action="store_true")
    replay = verb(
        "replay",
        replaying.replay,
        "post a recorded event to the running desk as its provider would, and say what became of it",
    )
    replay.add_argument("name", help="CHANNEL.ACCOUNT, such as webhook.demo")
    replay.add_argument("fixture", help="a file, or a name in queues/channels/CHANNEL/fixtures/")
    replay.add_argument("--url", default="http://127.0.0.1:8080", help="where the webhooks are served")
    replay.add_argument("--gateway-url", help="where /v1 is served, when not at --url")
    replay.add_argument(
        "--secret",
        help="the account's credential for inbound events; default: as configured here, else the demo's",
    )
    replay.add_argument("--api-key", default="demo-key", help="an API key that may read the inbox")
    replay.add_argument("--new-key", action="store_true", help="make it an event that the desk has not seen")
    replay.add_argument("--wait", type=float, default=10.0, metavar="SECONDS", help="for its fate (10)")
    return parser


def main() -> int:
    args = _parser().parse_args()
    run: Verb = args.run
    return run(args)


if __name__ == "__main__":
    _cli.end(main)
