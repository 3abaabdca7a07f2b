"""What a mailbox's file says, and what mail can do. Light: the webhook function loads it.

Keys that only one provider needs are checked by that provider's folder (`providers/<provider>/`).
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from models.channels.files import Common, Secret
from models.kernel.errors import FieldProblem
from queues.channels.email import providers

Provider = Literal["raw", "mailgun", "sendgrid", "postmark", "ses", "cloudflare", "mailjet", "brevo", "resend", "imap"]
Outbound = Literal["smtp", "mailgun", "sendgrid", "postmark", "ses", "resend"]


class Dkim(msgspec.Struct, forbid_unknown_fields=True):
    """Sign what leaves by SMTP (RFC 6376); HTTP providers sign themselves."""

    selector: str
    domain: str
    key: Secret


class Account(Common, kw_only=True):
    """A mailbox: `workflow_defs/channels/email.<account>.yaml`."""

    address: str
    aliases: list[str] = msgspec.field(
        default_factory=list
    )  # further addresses of ours that arrive here: never an author, never a copy's reader
    # -- in
    provider: Provider = "raw"
    bearer: Secret | None = None  # raw, and wherever a provider lets us choose a header
    basic: Secret | None = None  # user:password of HTTP basic authentication
    signing_key: Secret | None = None  # Mailgun, SendGrid (public key), Cloudflare, Resend (whsec_...)
    api_key: Secret | None = None  # fetching from and sending by HTTP APIs
    topic_arns: list[str] = msgspec.field(
        default_factory=list
    )  # SES: whose notifications are believed, whose subscriptions confirmed
    bucket: str | None = None  # SES: where its S3 action puts the mail
    imap_url: Secret | None = None  # imap[s]://user:password@host[:port]
    imap_folder: str = "INBOX"
    imap_idle: bool = True
    replay_window_s: Annotated[float, msgspec.Meta(ge=60, le=10 * 3600)] = 900.0  # Mailgun: how old a signature may be
    authserv_ids: list[str] = msgspec.field(
        default_factory=list
    )  # whose Authentication-Results are believed (RFC 8601)
    on_auth_fail: Literal["quarantine", "accept"] = "quarantine"
    strip_quotes: bool = True
    reply_marker: bool = False  # "reply above this line" on top of what we send
    # -- out
    reply_address: Literal["token", "plain"] = "token"  # plain: the mailbox takes no desk+something@...
    show_agent_name: bool = False  # From: "Olga (Nestor desk)"
    outbound: Outbound = "smtp"
    smtp_url: Secret | None = None
    smtp_ca_file: str | None = None  # certificates of a private authority (PEM); TLS is then never done without
    imap_ca_file: str | None = None
    region: str | None = None  # SES, Mailgun (eu)
    domain: str | None = None  # Mailgun
    dkim: Dkim | None = None
    null_sender_for_automatic: bool = False
    rate_per_s: float | None = None
    api_url: str | None = None  # the HTTP provider's API elsewhere: a region's host, a proxy


def check(account: Account) -> list[FieldProblem]:
    """What the account's providers need and its file does not say."""
    wanted = [
        (account.provider, "inbound_needs", "takes mail in by"),
        (account.outbound, "outbound_needs", "sends by"),
    ]
    problems = []
    for provider, needs, doing in wanted:
        for alternatives in _needs(provider, needs):
            if not any(getattr(account, key) for key in alternatives):
                keys = " or ".join(alternatives)
                problems.append(FieldProblem(f".{alternatives[0]}", f"an account that {doing} {provider} needs {keys}"))
    return problems + _together(account)


def _together(account: Account) -> list[FieldProblem]:
    """Keys that are of no use without others."""
    problems = []
    if account.provider == "ses" and account.bucket:
        lacking = [key for key in ("api_key", "region") if not getattr(account, key)]
        problems += [FieldProblem(f".{key}", f"reading mails from a bucket needs {key}") for key in lacking]
    return problems


def _needs(provider: str, needs: str) -> tuple[tuple[str, ...], ...]:
    if provider in _WITHOUT_FOLDER:
        return _WITHOUT_FOLDER[provider]
    found: tuple[tuple[str, ...], ...] = getattr(providers.described(provider), needs)
    return found


_WITHOUT_FOLDER: dict[str, tuple[tuple[str, ...], ...]] = {"imap": (("imap_url",),), "smtp": (("smtp_url",),)}
