"""Postmark: an inbound stream posts mails as JSON (raw as well, if it is switched on), webhooks tell what became of ours, its API sends."""

from __future__ import annotations

inbound_needs: tuple[tuple[str, ...], ...] = (("basic", "bearer", "path_id"),)
outbound_needs: tuple[tuple[str, ...], ...] = (("api_key",),)
