"""Providers that a description in YAML explains (README.md).

Some descriptions ship (`providers/<name>/description.yaml`); an account may have its own (`provider: described`).
"""

from __future__ import annotations

# The account's description decides which keys it needs: `description.needs`.
inbound_needs: tuple[tuple[str, ...], ...] = (("description",),)
outbound_needs: tuple[tuple[str, ...], ...] = ()
inbound_uses: frozenset[str] = frozenset()
outbound_uses: frozenset[str] = frozenset()
