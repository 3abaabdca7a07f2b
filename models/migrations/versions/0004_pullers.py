"""Leases of polled accounts (a mailbox, a bot without a public address): one process at a time reads an account."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        """CREATE TABLE puller_leases (channel text NOT NULL, account text NOT NULL, holder text NOT NULL,
            expires_at {instant} NOT NULL, PRIMARY KEY (channel, account))"""
    ]
