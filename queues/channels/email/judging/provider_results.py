"""A mail provider's own checks of a mail, as the results that RFC 8601 names.

A provider reports its checks beside the mail, in fields that no sender can write (`from_envelope`; the webhook stores
them in the envelope of the event). Mailgun and Postmark report them in headers of the mail, which a sender can write as
well. These headers count only if the account sets `trust_provider_headers`, and only if the mail has one of each.
"""

from __future__ import annotations

import re

from models.channels.accounts import ChannelAccount
from queues.channels.email.judging.authentication_results import Result
from queues.channels.email.reading.header_block import Headers, all_values

# As SendGrid writes it: `{@example.test : pass}`.
_SIGNED = re.compile(r"@([A-Za-z0-9.-]{1,253})\s*:\s*([a-z]{1,20})")
_SIGNED_CHARS_MAX = 2_000
_CHECKS = ("verdict", "dmarc", "spf", "dkim")


def is_reported(envelope: dict[str, str]) -> bool:
    """Return True if the provider reported a check of the sender beside the mail."""
    return any(name in envelope for name in _CHECKS)


def from_envelope(envelope: dict[str, str]) -> list[Result]:
    """Return the provider's results: `dmarc`, `spf` (of the envelope sender) and `dkim` (of each signing domain).

    `verdict` is the name of `dmarc` in events that were stored by earlier releases.
    """
    found = [Result("dmarc", envelope[name]) for name in ("dmarc", "verdict") if envelope.get(name)]
    if envelope.get("spf"):
        sender = envelope.get("from", "").strip("<> ").lower()
        found.append(Result("spf", envelope["spf"], {"smtp.mailfrom": sender} if sender else {}))
    for domain, result in _SIGNED.findall(envelope.get("dkim", "")[:_SIGNED_CHARS_MAX]):
        found.append(Result("dkim", result, {"header.d": domain.lower()}))
    return found


def from_headers(
    headers: Headers, envelope: dict[str, str], account: ChannelAccount, author_domain: str
) -> list[Result]:
    """Return the results in the headers of Mailgun and Postmark, if the account trusts them."""
    if not account.config.get("trust_provider_headers"):
        return []
    provider = account.config.get("provider")
    if provider == "mailgun":
        sender = envelope.get("from", "").strip("<> ").lower()
        spf = _only(headers, b"x-mailgun-spf")
        return [Result("spf", spf, {"smtp.mailfrom": sender})] if spf and sender else []
    if provider == "postmark":
        # SpamAssassin's tests: DKIM_VALID_AU is a valid signature of the author's domain.
        tests = set(re.split(r"[\s,]+", _only(headers, b"x-spam-tests")))
        return [Result("dkim", "pass", {"header.d": author_domain})] if "dkim_valid_au" in tests else []
    return []


def _only(headers: Headers, name: bytes) -> str:
    """Return the value of a header in lower case; empty unless there is exactly one."""
    values = list(all_values(headers, name))
    return values[0].decode("latin-1").strip().lower() if len(values) == 1 else ""
