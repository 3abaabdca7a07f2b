"""What SendGrid's own checks prove of the author: SPF for the envelope's domain, DKIM for those that signed.

Only a pass of the From address's own domain (or one below or above it) proves anything: everybody can sign with a
domain of theirs.
"""

from __future__ import annotations

import re

from models.ports.inbound import Verdict
from queues.channels.email.reading.headers import addresses

_SIGNED = re.compile(r"@([A-Za-z0-9.-]{1,253})\s*:\s*([a-z]{1,20})")


def judged(*, author: str, spf: str, envelope_from: str, dkim: str) -> Verdict:
    """`author`: the From header; `dkim`: as SendGrid tells it, `{@example.test : pass}`."""
    found = addresses(author.encode("utf-8", "replace"))
    if len(found) != 1:
        return "none"
    domain = found[0].address.rpartition("@")[2]
    passed = [signer.lower() for signer, result in _SIGNED.findall(dkim[:2_000]) if result == "pass"]
    if any(_aligned(domain, signer) for signer in passed):
        return "pass"
    if spf == "pass" and _aligned(domain, envelope_from.rpartition("@")[2].strip("<> ").lower()):
        return "pass"
    return "fail" if spf == "fail" else "none"


def _aligned(author: str, other: str) -> bool:
    return "." in other and (author == other or author.endswith(f".{other}") or other.endswith(f".{author}"))
