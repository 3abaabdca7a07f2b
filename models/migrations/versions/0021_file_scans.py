"""Verdicts of the malware scanner. They belong to the bytes, so that a file of many messages is scanned once."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        # Null: not scanned. pending | clean | infected | too_large | failed.
        "ALTER TABLE blobs ADD COLUMN scan_state text",
        "ALTER TABLE blobs ADD COLUMN scan_detail text",
        "ALTER TABLE blobs ADD COLUMN scanned_at {instant}",
        "CREATE INDEX blobs_scan ON blobs (scan_state) WHERE scan_state IN"
        " ('pending', 'infected', 'too_large', 'failed')",
    ]
