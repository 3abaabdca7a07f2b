"""Mailgun: routes post mails (raw or as fields), webhooks post receipts, `messages.mime` sends."""

from __future__ import annotations

inbound_needs: tuple[tuple[str, ...], ...] = (("signing_key",),)
outbound_needs: tuple[tuple[str, ...], ...] = (("api_key",), ("domain",))
inbound_uses: frozenset[str] = frozenset({"replay_window_s", "trust_provider_headers"})
outbound_uses: frozenset[str] = frozenset({"region", "api_url"})
