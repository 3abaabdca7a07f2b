"""Brevo: inbound parsing posts several mails in one JSON document; files are fetched by tokens. Brevo only receives."""

from __future__ import annotations

inbound_needs: tuple[tuple[str, ...], ...] = (("basic", "bearer", "path_id"), ("api_key",))
outbound_needs: tuple[tuple[str, ...], ...] = ()
inbound_uses: frozenset[str] = frozenset({"api_url"})
outbound_uses: frozenset[str] = frozenset()
