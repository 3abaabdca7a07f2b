"""Mailgun: routes post mails (raw or as fields), webhooks tell what became of ours, `messages.mime` takes what leaves."""

from __future__ import annotations

inbound_needs: tuple[tuple[str, ...], ...] = (("signing_key",),)
outbound_needs: tuple[tuple[str, ...], ...] = (("api_key",), ("domain",))
