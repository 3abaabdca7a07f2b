"""Mailjet: the Parse API posts mails as JSON. It cannot give the raw mail, and does not send for us."""

from __future__ import annotations

inbound_needs: tuple[tuple[str, ...], ...] = (("basic", "bearer", "path_id"),)
outbound_needs: tuple[tuple[str, ...], ...] = ()
inbound_uses: frozenset[str] = frozenset()
outbound_uses: frozenset[str] = frozenset()
