"""The configuration file of a mailbox. It imports little, because the webhook function loads it.

The folder of a provider (`providers/<provider>/`) names the keys that only this provider needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec

from models.channels.files import Common, Secret
from models.kernel import limits
from models.kernel.errors import FieldProblem
from queues.channels import account_keys
from queues.channels.email import providers
from queues.channels.email.oauth.account import OAuth
from queues.channels.email.oauth.account import problems as oauth_problems

Provider = Literal["raw", "mailgun", "sendgrid", "postmark", "ses", "cloudflare", "mailjet", "brevo", "resend", "imap"]
Outbound = Literal["smtp", "mailgun", "sendgrid", "postmark", "ses", "resend"]


class Dkim(msgspec.Struct, forbid_unknown_fields=True):
    """The DKIM key for mail that leaves by SMTP (RFC 6376); HTTP providers sign themselves."""

    selector: str
    domain: str
    key: Secret


class AuthorFrom(msgspec.Struct, forbid_unknown_fields=True):
    """Addresses of machines that send mails of people; Reply-To names the person."""

    # Addresses, and domains as @example.com.
    reply_to: list[str] = msgspec.field(default_factory=list)


class Account(Common, kw_only=True):
    """A mailbox: `workflow_defs/channels/email.<account>.yaml`."""

    address: str
    # Further addresses of the desk that arrive here; they are never an author or the reader of a copy.
    aliases: list[str] = msgspec.field(default_factory=list)
    # Carries the desk's own mail to its users (invitations, password resets, notices); one account has it.
    system: bool = False
    # -- inbound
    provider: Provider = "raw"
    # `raw`, and each provider that lets the operator choose a header.
    bearer: Secret | None = None
    # user:password of HTTP basic authentication.
    basic: Secret | None = None
    # Mailgun, SendGrid (public key), Cloudflare, Resend (whsec_...).
    signing_key: Secret | None = None
    # For fetching from and sending by HTTP APIs.
    api_key: Secret | None = None
    # SES: topics whose notifications are accepted and whose subscriptions are confirmed.
    topic_arns: list[str] = msgspec.field(default_factory=list)
    # SES: the bucket of the S3 action.
    bucket: str | None = None
    # imap[s]://user:password@host[:port]
    imap_url: Secret | None = None
    # OAuth 2.0 in place of a password for IMAP and SMTP.
    oauth: OAuth | None = None
    imap_folder: str = "INBOX"
    imap_idle: bool = True
    # Mails that the server or a mail program has flagged as $Junk.
    imap_junk: Literal["read", "skip"] = "read"
    # Mailgun: the maximum age of a signature.
    replay_window_s: Annotated[float, msgspec.Meta(ge=60, le=10 * 3600)] = 900.0
    # Servers whose Authentication-Results are trusted (RFC 8601).
    authserv_ids: list[str] = msgspec.field(default_factory=list)
    on_auth_fail: Literal["quarantine", "accept"] = "quarantine"
    # Mails of unproved authors, in a mailbox with a judge.
    on_unproved: Literal["quarantine", "accept"] = "quarantine"
    # Mailgun, Postmark: their checks in headers of the mail count. Set it only if the provider adds them to each mail.
    trust_provider_headers: bool = False
    author_from: AuthorFrom | None = None
    # The spam score from which a mail is quarantined (SpamAssassin, Rspamd, SCL, the provider's); null: no score is.
    spam_threshold: Annotated[float, msgspec.Meta(ge=0.1, le=100)] | None = limits.spam_threshold
    strip_quotes: bool = True
    # "Reply above this line" on top of outgoing mail.
    reply_marker: bool = False
    # -- outbound
    # `plain` is for a mailbox that takes no desk+something@...
    reply_address: Literal["token", "plain"] = "token"
    # From: "Olga (Nestor desk)"
    show_agent_name: bool = False
    outbound: Outbound = "smtp"
    smtp_url: Secret | None = None
    # Certificates of a private authority (PEM); TLS is then required.
    smtp_ca_file: str | None = None
    imap_ca_file: str | None = None
    # SES, Mailgun (eu).
    region: str | None = None
    # Mailgun.
    domain: str | None = None
    dkim: Dkim | None = None
    null_sender_for_automatic: bool = False
    rate_per_s: float | None = None
    # Another address of the HTTP provider's API: the host of a region, a proxy.
    api_url: str | None = None


def check(account: Account) -> list[FieldProblem]:
    """Find the keys that the account's providers need and its file lacks."""
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
    return [*problems, *_together(account), *_unused(account)]


def _together(account: Account) -> list[FieldProblem]:
    """Find keys that need other keys."""
    problems = []
    if account.provider == "ses" and account.bucket:
        lacking = [key for key in ("api_key", "region") if not getattr(account, key)]
        problems += [FieldProblem(f".{key}", f"reading mails from a bucket needs {key}") for key in lacking]
    if account.oauth is not None:
        problems += oauth_problems(
            account.oauth,
            imap_url=account.imap_url is not None,
            smtp_url=account.smtp_url is not None,
            imap=account.provider == "imap",
            smtp=account.outbound == "smtp",
        )
    return problems


def _unused(account: Account) -> Iterator[FieldProblem]:
    """Find the keys that neither the inbound nor the outbound provider reads."""
    why = f"by an account that takes mail in by {account.provider} and sends by {account.outbound}"
    return account_keys.unused(account, of=_OF_PROVIDERS, used=_used(account), why=why)


def _used(account: Account) -> set[str]:
    used = _keys(account.provider, "inbound") | _keys(account.outbound, "outbound")
    if account.outbound not in _WITHOUT_FOLDER:
        # Its receipts come to the account's address as well.
        used |= _keys(account.outbound, "inbound") - {"bucket", "trust_provider_headers"}
    if account.provider == "ses" and account.bucket:
        used |= {"api_key", "region", "api_url"}
    if account.provider != "imap" or account.outbound not in _WITHOUT_FOLDER:
        used.add("path_id")
    if account.authserv_ids:
        # `channels test --probe` sends its mail by SMTP.
        used |= {"smtp_url", "smtp_ca_file"}
    return used


def _keys(provider: str, side: str) -> set[str]:
    """Return all keys that a provider reads on one side."""
    needed = {key for alternatives in _needs(provider, f"{side}_needs") for key in alternatives}
    if provider in _WITHOUT_FOLDER:
        return needed | _USED_WITHOUT_FOLDER[provider]
    further: frozenset[str] = getattr(providers.described(provider), f"{side}_uses")
    return needed | further


def _needs(provider: str, needs: str) -> tuple[tuple[str, ...], ...]:
    if provider in _WITHOUT_FOLDER:
        return _WITHOUT_FOLDER[provider]
    found: tuple[tuple[str, ...], ...] = getattr(providers.described(provider), needs)
    return found


_WITHOUT_FOLDER: dict[str, tuple[tuple[str, ...], ...]] = {
    "imap": (("imap_url", "oauth"),),
    "smtp": (("smtp_url", "oauth"),),
}
_USED_WITHOUT_FOLDER: dict[str, set[str]] = {
    "imap": {"imap_folder", "imap_idle", "imap_junk", "imap_ca_file"},
    "smtp": {"smtp_ca_file", "dkim", "null_sender_for_automatic"},
}
# Keys that only some providers read; the other keys are read for every account.
_OF_PROVIDERS = frozenset(
    {
        "bearer",
        "basic",
        "path_id",
        "signing_key",
        "api_key",
        "topic_arns",
        "bucket",
        "imap_url",
        "oauth",
        "imap_folder",
        "imap_idle",
        "imap_junk",
        "imap_ca_file",
        "replay_window_s",
        "trust_provider_headers",
        "smtp_url",
        "smtp_ca_file",
        "region",
        "domain",
        "dkim",
        "null_sender_for_automatic",
        "api_url",
    }
)
