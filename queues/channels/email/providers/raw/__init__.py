"""The mail itself over HTTP: from a script, a mail server's pipe, a provider that we have no folder for."""

from __future__ import annotations

inbound_needs: tuple[tuple[str, ...], ...] = (("bearer", "basic", "signing_key", "path_id"),)
outbound_needs: tuple[tuple[str, ...], ...] = ()
