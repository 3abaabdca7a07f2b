"""Mails that are not read because of their flags (RFC 9051 sections 2.3.2 and 6.4.3).

A person or a filter sets the flags at the server. A deleted mail waits for its removal, and a draft was never sent.
"""

from __future__ import annotations

from collections.abc import Collection

from models.channels.accounts import ChannelAccount

# `$Junk` is registered at IANA; Thunderbird sets `Junk`. Together with its opposite it means nothing.
_JUNK = frozenset({b"$junk", b"junk"})
_NOT_JUNK = frozenset({b"$notjunk", b"notjunk", b"nonjunk"})

# The possible results of `reason_to_skip`.
SKIP_REASONS = ("deleted", "draft", "junk")


def reason_to_skip(flags: Collection[bytes], account: ChannelAccount) -> str | None:
    """Return `deleted`, `draft` or `junk` for a mail that is not read; None for any other mail."""
    found = {flag.lower() for flag in flags}
    if b"\\deleted" in found:
        return "deleted"
    if b"\\draft" in found:
        return "draft"
    skips_junk = account.config.get("imap_junk") == "skip"
    return "junk" if skips_junk and found & _JUNK and not found & _NOT_JUNK else None
