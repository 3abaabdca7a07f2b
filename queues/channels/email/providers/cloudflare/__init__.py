"""Cloudflare Email Routing: an Email Worker (script in the README) posts each mail, signed by our own scheme."""

from __future__ import annotations

inbound_needs: tuple[tuple[str, ...], ...] = (("signing_key",),)
outbound_needs: tuple[tuple[str, ...], ...] = ()
inbound_uses: frozenset[str] = frozenset()
outbound_uses: frozenset[str] = frozenset()
