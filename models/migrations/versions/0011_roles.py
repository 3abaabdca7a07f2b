"""Custom roles: sets of named permissions beside the shipped roles, which are code."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        """CREATE TABLE roles (name text PRIMARY KEY, id {id} NOT NULL UNIQUE, based_on text NOT NULL,
            description text NOT NULL, permissions text NOT NULL, version integer NOT NULL DEFAULT 1,
            created_at {instant} NOT NULL, updated_at {instant} NOT NULL)"""
    ]
