"""Check, test, authorize, set up and inspect channel accounts, and replay recorded events."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from scripts import _cli
from scripts.channels import authorizing, checking, reaching, replaying

Verb = Callable[[argparse.Namespace], int]
_NAME = "CHANNEL.ACCOUNT, for example telegram.support: a file in workflow_defs/channels/, else a published account"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.channels", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name: str, run: Verb, text: str) -> argparse.ArgumentParser:
        one = verbs.add_parser(name, help=text, description=text)
        one.set_defaults(run=run)
        return one

    check = verb("check", checking.check, "check the files of channel accounts; exit code 1 when there are errors")
    check.add_argument(
        "accounts",
        nargs="*",
        help="accounts such as email.support, or files (default: all of workflow_defs/channels/; the credentials of"
        " the demo's accounts are then not asked for)",
    )
    check.add_argument(
        "--credentials",
        action="store_true",
        help="also check that every named credential is configured, and get an access token where the account has"
        " `oauth`",
    )
    test = verb(
        "test",
        reaching.test,
        "log in to the account's servers (Bot API, SMTP, IMAP), and check the proofs of the latest mails; sends nothing"
        " without --probe",
    )
    test.add_argument("name", help=_NAME)
    test.add_argument(
        "--probe",
        action="store_true",
        help="send a mail with a foreign Authentication-Results header to the mailbox itself, and check that the mail"
        " server removes the header; the desk must run",
    )
    test.add_argument(
        "--wait", type=float, default=60.0, metavar="SECONDS", help="time to wait for the probe (default: 60)"
    )
    setup = verb(
        "setup",
        reaching.setup,
        "register the account at its provider (Telegram: webhook, secret token, allowed updates, menu), or print"
        " what to enter there",
    )
    setup.add_argument("name", help=_NAME)
    setup.add_argument("--public-url", help="public base URL of the desk (default: PUBLIC_URL)")
    authorize = verb(
        "authorize",
        authorizing.authorize,
        "get the refresh token of a mailbox at Microsoft 365, Gmail or another OAuth server, by the consent of a person"
        " in a browser; it is stored, encrypted, in the desk's database",
    )
    authorize.add_argument("name", help=_NAME)
    authorize.add_argument(
        "--print", action="store_true", help="also print the token, to configure it as the credential"
    )
    status = verb(
        "status", reaching.status, "show the health of every published account; exit code 1 when one has an error"
    )
    status.add_argument("--json", action="store_true", help="print JSON")
    replay = verb(
        "replay",
        replaying.replay,
        "post a recorded event to the running desk as its provider would, and show the result",
    )
    replay.add_argument("name", help="CHANNEL.ACCOUNT, for example webhook.demo")
    replay.add_argument("fixture", help="path of a file, or name of a file in queues/channels/CHANNEL/fixtures/")
    replay.add_argument(
        "--url", default="http://127.0.0.1:8080", help="base URL of the webhooks function (default: %(default)s)"
    )
    replay.add_argument("--gateway-url", help="base URL of the gateway (default: --url)")
    replay.add_argument(
        "--secret",
        help="the account's credential for inbound events (default: the configured one, else the demo's)",
    )
    replay.add_argument(
        "--api-key", default="demo-key", help="API key with the right to read the inbox (default: %(default)s)"
    )
    replay.add_argument(
        "--new-key", action="store_true", help="give the event a new id, so that the desk processes it again"
    )
    replay.add_argument(
        "--wait", type=float, default=10.0, metavar="SECONDS", help="time to wait for the result (default: 10)"
    )
    return parser


def main() -> int:
    args = _parser().parse_args()
    run: Verb = args.run
    return run(args)


if __name__ == "__main__":
    _cli.end(main)
