"""Amazon SES: receipt rules publish mails through SNS (whole, or a pointer to S3), topics tell what became of ours, its API sends."""

from __future__ import annotations

inbound_needs: tuple[tuple[str, ...], ...] = (("topic_arns",),)
outbound_needs: tuple[tuple[str, ...], ...] = (("api_key",), ("region",))
