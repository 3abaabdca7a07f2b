"""Postmark: an inbound stream posts mails as JSON (optionally raw), webhooks post receipts, its API sends."""

from __future__ import annotations

inbound_needs: tuple[tuple[str, ...], ...] = (("basic", "bearer", "path_id"),)
outbound_needs: tuple[tuple[str, ...], ...] = (("api_key",),)
inbound_uses: frozenset[str] = frozenset({"trust_provider_headers"})
outbound_uses: frozenset[str] = frozenset({"api_url"})
