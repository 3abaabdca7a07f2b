"""Read the verdicts of spam filters: SpamAssassin, Rspamd, Exchange Online, and mail providers.

The worst verdict counts. A sender who writes such headers can only harm the own mail.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from models.ports.author_proof import SpamVerdict
from queues.channels.email import limits
from queues.channels.email.reading.header_block import Headers

_NUMBER = r"[-+]?[0-9]{1,4}(?:\.[0-9]{1,4})?"
_FIRST = re.compile(rf"\s*\(?\s*({_NUMBER})")
# SpamAssassin: `Yes, score=7.3 required=5.0 tests=...`; old versions write hits=.
_STATUS = re.compile(rf"\b(?:score|hits)=({_NUMBER})")
# Rspamd: `default: True [15.20 / 15.00]; ...`.
_RSPAMD = re.compile(rf"\[\s*({_NUMBER})\s*/")
# Exchange Online: `...;SCL:5;...`.
_SCL = re.compile(r"(?:^|;)\s*SCL:(-?[0-9]{1,2})(?:;|$)")
_SCORES = {
    b"x-spam-score": _FIRST,
    b"x-spam-status": _STATUS,
    b"x-rspamd-score": _FIRST,
    b"x-spamd-result": _RSPAMD,
    b"x-ms-exchange-organization-scl": _FIRST,
    b"x-forefront-antispam-report": _SCL,
    b"x-mailgun-sscore": _FIRST,
}
_FLAGS = frozenset([b"x-spam-flag", b"x-spam", b"x-spam-status", b"x-mailgun-sflag", b"x-spamd-result"])
_YES = re.compile(r"\s*(?:yes|true|spam)\b|default:\s*true\b", re.IGNORECASE)


def verdict(headers: Headers, envelope: dict[str, str]) -> SpamVerdict | None:
    """Return the worst verdict; None if no filter reports one.

    A filter that flags the mail and gives no number counts above every number.
    """
    if envelope.get("spam") == "fail":
        return SpamVerdict(None, "spam (the provider)")
    scores = list(_scores(headers, envelope))
    if scores:
        score, name = max(scores)
        return SpamVerdict(score, f"a score of {score:g} ({name})")
    flags = [name for name, value in _read(headers) if name in _FLAGS and _YES.match(value)]
    return SpamVerdict(None, f"spam ({flags[0].decode()})") if flags else None


def _scores(headers: Headers, envelope: dict[str, str]) -> Iterator[tuple[float, str]]:
    told = _FIRST.match(envelope.get("spam_score", ""))
    if told is not None:
        yield float(told[1]), "the provider"
    for name, value in _read(headers):
        pattern = _SCORES.get(name)
        found = None if pattern is None else pattern.search(value)
        if found is not None and math.isfinite(float(found[1])):
            yield float(found[1]), name.decode()


def _read(headers: Headers) -> Iterator[tuple[bytes, str]]:
    """Yield the headers of spam filters, within their bounds."""
    known = ((name, value) for name, value in headers if name in _SCORES or name in _FLAGS)
    for _, (name, value) in zip(range(limits.spam_headers_max), known, strict=False):
        yield name, value[: limits.spam_chars_max].decode("latin-1")
