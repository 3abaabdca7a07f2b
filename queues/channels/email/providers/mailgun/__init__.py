"""Mailgun: routes post mails (raw or as fields), webhooks post receipts, `messages.mime` sends."""

from __future__ import annotations

inbound_needs: tuple[tuple[str, ...], ...] = (("signing_key",),)
outbound_needs: tuple[tuple[str, ...], ...] = (("api_key",), ("domain",))
