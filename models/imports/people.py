"""Write the records of organisations, users and requesters. The commands join the caller's transaction.

An address that the desk knows already names the same person: the record's id then leads to the present requester, who
gets the record's other addresses and keeps their name and fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from models.events import past
from models.events.commands import SYSTEM
from models.events.past import PastEvent
from models.events.payload import EventPayload
from models.events.people_payloads import OrganisationCreated, RequesterCreated
from models.identity.tables import UserRow
from models.imports import form
from models.imports.context import Context
from models.imports.problems import Problem, Refused, of_fields, size, word
from models.inbox import erased_addresses
from models.infomodel.normal_form import Lookups
from models.kernel import languages
from models.kernel.errors import Invalid, NestorError
from models.kernel.ids import new_id, parse_id
from models.kernel.open_json import JsonObject
from models.onboarding import commands as onboarding
from models.ports import channel_facts
from models.requesters import domains, person_fields
from models.requesters.tables import Identity, Organisation, OrganisationDomain, Requester
from models.tickets.ticket_fields import LOOKUPS


def kept_id(text: str, table: Any) -> UUID:
    """Return the source's id if it is a UUID that no row of the table has, else a new id."""
    wanted = parse_id(text)
    if wanted is None or table.select(table.id).where(table.id == wanted).exists():
        return new_id()
    return wanted


def write_organisation(context: Context, record: form.Organisation) -> UUID:
    """Write an organisation; one that has a domain of the record already is taken instead. Raises Refused."""
    wanted = _domains(context, record.domains)
    holders = {row.organisation_id for row in OrganisationDomain.select().where(OrganisationDomain.domain.in_(wanted))}
    if len(holders) > 1:
        raise Refused(Problem("domains", "domains of several organisations", "domains of one organisation"))
    if holders:
        known: UUID = holders.pop()
        return known
    organisation_id = kept_id(record.id, Organisation)
    created = record.created_at or context.now
    fields = _fields(context, "organisation", record.fields)
    if context.dry_run:
        return organisation_id
    Organisation.insert(
        id=organisation_id,
        name=record.name,
        fields=fields,
        created_at=created,
        updated_at=record.updated_at or created,
    ).execute()
    domains.replace(organisation_id, wanted)
    _created(context, "organisation", organisation_id, OrganisationCreated(name=record.name), created)
    return organisation_id


def _domains(context: Context, names: list[str]) -> list[str]:
    """The domains that the desk takes: mailbox providers and public suffixes are no organisation's."""
    found = []
    for index, name in enumerate(names):
        try:
            found.extend(domains.normal([name]))
        except Invalid:
            context.leave_out(f"domains[{index}]", word(name), "a domain of the organisation alone")
    return list(dict.fromkeys(found))


def write_user(context: Context, record: form.User) -> UUID:
    """Find a user by the address; create the user if the import may. Raises Refused."""
    email = record.id
    known = context.user(email)
    if known is not None:
        return known
    if not context.creates_users:
        raise Refused(
            Problem("id", "the address of nobody at this desk", "a user; create it, or run the command --create-users")
        )
    if context.dry_run:
        context.add_user(email, user_id := new_id())
        return user_id
    try:
        user = onboarding.create_user(email, record.name, None, record.role, record.locale, actor=SYSTEM)
    except Invalid as error:
        raise Refused(*of_fields(error.problems)) from error
    except NestorError as error:
        raise Refused(Problem("role", word(record.role), error.message)) from error
    if not record.active:
        UserRow.update(active=False).where(UserRow.id == user.id).execute()
    context.add_user(email, user.id)
    return user.id


def write_requester(context: Context, record: form.Requester) -> UUID:
    """Write a requester with their addresses. Raises Refused."""
    _check_erased(record)
    addresses = {(one.channel, _comparable(one)): one for one in record.addresses}
    for channel, _ in addresses:
        context.check_channel(channel, "addresses")
    owners = _owners(list(addresses))
    if len(set(owners.values())) > 1:
        raise Refused(Problem("addresses", "addresses of several requesters of this desk", "addresses of one person"))
    organisation_id = _organisation(context, record.organisation)
    fields = _fields(context, "requester", record.fields)
    known = next(iter(owners.values()), None)
    requester_id = known or kept_id(record.id, Requester)
    if context.dry_run:
        return requester_id
    created = record.created_at or context.now
    if known is None:
        Requester.insert(
            id=requester_id,
            name=record.name or next((address for _, address in addresses), "unknown"),
            locale=_locale(context, record.locale),
            time_zone=record.time_zone,
            organisation_id=organisation_id,
            fields=fields,
            created_at=created,
            updated_at=record.updated_at or created,
        ).execute()
        _created(context, "requester", requester_id, RequesterCreated(organisation_id=organisation_id), created)
    _add_addresses(requester_id, {key: one for key, one in addresses.items() if key not in owners}, created)
    return requester_id


def _check_erased(record: form.Requester) -> None:
    """Raise Refused for a person whose data was erased here: a repeated import does not bring it back."""
    for index, one in enumerate(record.addresses):
        if erased_addresses.erased_since(one.channel, [one.address], _BEGINNING):
            raise Refused(
                Problem(f"addresses[{index}]", "an address that was erased on request", "a person who was not erased")
            )


_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def _comparable(one: form.Address) -> str:
    return channel_facts.of(one.channel).comparable(one.address)


def _owners(addresses: list[tuple[str, str]]) -> dict[tuple[str, str], UUID]:
    found = {}
    for channel, address in addresses:
        row = Identity.get_or_none((Identity.channel == channel) & (Identity.address == address))
        if row is not None:
            found[(channel, address)] = row.requester_id
    return found


def _add_addresses(requester_id: UUID, addresses: Mapping[tuple[str, str], form.Address], created: datetime) -> None:
    for (channel, address), one in addresses.items():
        Identity.insert(
            id=new_id(),
            requester_id=requester_id,
            channel=channel,
            address=address,
            display_name=one.name,
            verified_by=one.verified_by,
            suppressed_at=created if one.suppressed is not None else None,
            suppressed_reason=one.suppressed,
            blocked_at=created if one.blocked is not None else None,
            blocked_reason=one.blocked,
            created_at=created,
        ).execute()


def _organisation(context: Context, source_id: str | None) -> UUID | None:
    if source_id is None:
        return None
    found = context.sources.find("organisation", source_id)
    if found is None:
        context.leave_out("organisation", size(source_id), "the id of an organisation of the file or the desk")
    return found


def _locale(context: Context, locale: str | None) -> str | None:
    if locale is None or languages.is_tag(locale):
        return locale
    context.leave_out("locale", word(locale), "a language tag (BCP 47) such as en or pt-BR")
    return None


def _fields(context: Context, kind: person_fields.Kind, wanted: Mapping[str, Any]) -> JsonObject:
    """The fields that fit the model. The others are left out."""
    return fitting(
        context,
        wanted,
        lambda values: person_fields.changed(
            kind, {}, values, role="automation", lookups=Lookups(LOOKUPS.people, LOOKUPS.tickets), fresh=True
        ),
    )


def fitting(context: Context, wanted: Mapping[str, Any], validate: Any) -> JsonObject:
    """Return the values that `validate` takes, without the defaults that it adds; leave the others out."""
    values = dict(wanted)
    while values:
        try:
            return {name: value for name, value in validate(values).items() if name in values}
        except Invalid as error:
            unfit = {one.path.removeprefix("/fields/") for one in error.problems} & values.keys()
            for problem in of_fields(error.problems):
                context.leave_out(problem.path, problem.found, problem.expected)
            values = {name: value for name, value in values.items() if name not in unfit} if unfit else {}
    return {}


def _created(context: Context, aggregate: str, row_id: UUID, event: EventPayload, at: datetime) -> None:
    past.write(aggregate, row_id, [PastEvent(at, event, SYSTEM)], causation_id=context.causation_id)
