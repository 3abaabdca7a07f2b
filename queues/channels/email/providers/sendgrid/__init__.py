"""SendGrid: Inbound Parse posts mails as forms (parsed or raw), the Event Webhook posts receipts, its API sends."""

from __future__ import annotations

inbound_needs: tuple[tuple[str, ...], ...] = (("signing_key", "basic", "bearer", "path_id"),)
outbound_needs: tuple[tuple[str, ...], ...] = (("api_key",),)
inbound_uses: frozenset[str] = frozenset()
outbound_uses: frozenset[str] = frozenset({"region", "api_url"})
