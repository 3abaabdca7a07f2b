"""Resend: webhooks (signed as Svix does) tell of mails, which are fetched, and of what became of ours; its API sends."""

from __future__ import annotations

inbound_needs: tuple[tuple[str, ...], ...] = (("signing_key",), ("api_key",))
outbound_needs: tuple[tuple[str, ...], ...] = (("api_key",),)
