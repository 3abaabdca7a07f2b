"""Raw mail over HTTP: from a script, the pipe of a mail server, or a provider without a folder."""

from __future__ import annotations

inbound_needs: tuple[tuple[str, ...], ...] = (("bearer", "basic", "signing_key", "path_id"),)
outbound_needs: tuple[tuple[str, ...], ...] = ()
inbound_uses: frozenset[str] = frozenset()
outbound_uses: frozenset[str] = frozenset()
