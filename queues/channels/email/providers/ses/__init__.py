"""Amazon SES: receipt rules publish mails through SNS (whole or in S3), topics publish receipts, its API sends."""

from __future__ import annotations

inbound_needs: tuple[tuple[str, ...], ...] = (("topic_arns",),)
outbound_needs: tuple[tuple[str, ...], ...] = (("api_key",), ("region",))
inbound_uses: frozenset[str] = frozenset({"basic", "bearer", "bucket"})
outbound_uses: frozenset[str] = frozenset({"api_url"})
