"""Brevo: inbound parsing posts several mails at once as JSON; files are fetched by tokens. It cannot give the raw mail, nor send for us."""

from __future__ import annotations

inbound_needs: tuple[tuple[str, ...], ...] = (("basic", "bearer", "path_id"), ("api_key",))
outbound_needs: tuple[tuple[str, ...], ...] = ()
