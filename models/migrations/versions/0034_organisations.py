"""Organisations have several mail domains, and their members are listed."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        """CREATE TABLE organisation_domains (domain text PRIMARY KEY, organisation_id {id} NOT NULL
        REFERENCES organisations (id))""",
        "CREATE INDEX organisation_domains_organisation ON organisation_domains (organisation_id)",
        # `organisations.domain` held one domain; programs of earlier releases still expect the column.
        """INSERT INTO organisation_domains (domain, organisation_id)
        SELECT lower(domain), id FROM organisations WHERE domain IS NOT NULL""",
        "CREATE INDEX requesters_organisation ON requesters (organisation_id, id)",
    ]
