"""Cloudflare Email Routing: an Email Worker posts each mail to us, signed by our own scheme (its script is in the README)."""

from __future__ import annotations

inbound_needs: tuple[tuple[str, ...], ...] = (("signing_key",),)
outbound_needs: tuple[tuple[str, ...], ...] = ()
