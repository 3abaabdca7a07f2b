"""Resend: webhooks (signed by Svix's scheme) announce mails, which are fetched, and post receipts; its API sends."""

from __future__ import annotations

inbound_needs: tuple[tuple[str, ...], ...] = (("signing_key",), ("api_key",))
outbound_needs: tuple[tuple[str, ...], ...] = (("api_key",),)
inbound_uses: frozenset[str] = frozenset({"api_url"})
outbound_uses: frozenset[str] = frozenset({"api_url"})
