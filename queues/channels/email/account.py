"""The configuration file of a mailbox. It imports little, because the webhook function loads it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from models.channels.files import Common, Secret
from models.kernel import limits
from queues.channels.email.oauth.account import OAuth
from queues.channels.email.providers.described.description import Description

Provider = Literal[
    "raw",
    "mailgun",
    "sendgrid",
    "postmark",
    "ses",
    "cloudflare",
    "mailjet",
    "brevo",
    "resend",
    "mailersend",
    "sparkpost",
    "postal",
    "mandrill",
    "described",
    "imap",
]
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
    # `described`: the provider's requests; `queues/channels/email/providers/described/README.md`.
    description: Description | None = None
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
