"""Export the desk as records of the own form, and the files of its messages.

Not exported: tickets in the bin, drafts, running timers and promises, snoozes, secrets, and the configuration, which is
files already (workflow_defs). Each ticket is read as it is in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from models.identity.tables import UserRow
from models.imports import exported_tickets, form, limits
from models.imports.exported_tickets import Names, fields_of, grouped, text_of
from models.imports.tickets import MERGED, RELATIONS
from models.kernel.storage import database
from models.kernel.storage.database import Row
from models.kernel.storage.table import Table
from models.requesters.tables import Identity, Organisation, OrganisationDomain, Requester
from models.ticket_workflow.tables import TicketLink
from models.tickets.tables import Ticket


def records() -> Iterator[form.AnyRecord]:
    """Yield all records, in the order in which an import takes them. Opens its own connections."""
    with database.connection():
        names = Names.read()
    yield from _users()
    yield from _organisations()
    yield from _requesters()
    for tickets in _pages(Ticket, Ticket.binned_at.is_null()):
        with database.transaction():
            found = exported_tickets.read([Ticket(**row) for row in tickets], names)
        yield from found
    yield from _links()


def _pages(table: type[Table], condition: Any = None) -> Iterator[list[Row]]:
    """Yield the rows of a table in the order of their ids, in pages."""
    last, row_id = UUID(int=0), table._meta.columns["id"]
    while True:
        with database.connection():
            query = table.select().where(row_id > last)
            if condition is not None:
                query = query.where(condition)
            page = database.rows(query.order_by(row_id).limit(limits.export_page))
        if not page:
            return
        yield page
        last = page[-1]["id"]


def _users() -> Iterator[form.User]:
    for page in _pages(UserRow):
        for row in page:
            yield form.User(
                id=row["email"], name=row["name"], role=row["role"], locale=row["locale"], active=row["active"]
            )


def _organisations() -> Iterator[form.Organisation]:
    for page in _pages(Organisation):
        domains = grouped(OrganisationDomain, OrganisationDomain.organisation_id, page, OrganisationDomain.domain)
        for row in page:
            yield form.Organisation(
                id=str(row["id"]),
                name=row["name"],
                domains=[one["domain"] for one in domains[row["id"]]],
                fields=fields_of("entity.organisation", row["fields"]),
                created_at=row["created_at"],
                updated_at=row["updated_at"],
            )


def _requesters() -> Iterator[form.Requester]:
    """Yield the requesters. Those who were merged into another one, or erased, have nothing of their own."""
    for page in _pages(Requester, Requester.merged_into.is_null()):
        addresses = grouped(Identity, Identity.requester_id, page, Identity.id)
        for row in page:
            yield form.Requester(
                id=str(row["id"]),
                name=row["name"],
                addresses=[
                    form.Address(
                        channel=one["channel"],
                        address=one["address"],
                        name=one["display_name"],
                        verified_by=one["verified_by"],
                        suppressed=one["suppressed_reason"] if one["suppressed_at"] else None,
                        blocked=one["blocked_reason"] or "" if one["blocked_at"] else None,
                    )
                    for one in sorted(addresses[row["id"]], key=lambda one: (one["channel"], one["address"]))
                ],
                locale=row["locale"],
                time_zone=row["time_zone"],
                organisation=text_of(row["organisation_id"]),
                fields=fields_of("entity.requester", row["fields"]),
                created_at=row["created_at"],
                updated_at=row["updated_at"],
            )


def _links() -> Iterator[form.Link]:
    """Yield the links of tickets that are exported, and the merges."""
    for page in _pages(Ticket, Ticket.binned_at.is_null()):
        with database.connection():
            links = grouped(TicketLink, TicketLink.from_id, page, TicketLink.to_id)
            targets = {one["to_id"] for rows in links.values() for one in rows}
            targets |= {row["merged_into"] for row in page if row["merged_into"] is not None}
            kept = Ticket.select(Ticket.id).where(Ticket.id.in_(list(targets)), Ticket.binned_at.is_null())
            exported = {row["id"] for row in database.rows(kept)} if targets else set()
        for row in page:
            if row["merged_into"] in exported:
                yield _link(row["id"], row["merged_into"], MERGED, None)
            for one in links[row["id"]]:
                if one["kind"] in RELATIONS and one["to_id"] in exported:
                    yield _link(one["from_id"], one["to_id"], one["kind"], one)


def _link(from_id: UUID, to_id: UUID, relation: str, row: Row | None) -> form.Link:
    return form.Link(
        id=f"{from_id}:{to_id}:{relation}",
        from_ticket=str(from_id),
        to_ticket=str(to_id),
        relation=relation,
        created_at=None if row is None else row["created_at"],
    )
