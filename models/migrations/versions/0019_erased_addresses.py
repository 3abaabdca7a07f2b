"""The addresses of erased persons, as keyed hashes. Events that arrived before the erasure are not recorded."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        """CREATE TABLE erased_addresses (channel text NOT NULL, address_hash text NOT NULL,
            erased_at {instant} NOT NULL, PRIMARY KEY (channel, address_hash))""",
        "CREATE INDEX erased_addresses_at ON erased_addresses (erased_at)",
    ]
