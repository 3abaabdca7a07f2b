"""The mail domains of organisations: a person who writes from one belongs to its organisation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING
from uuid import UUID

from models.kernel import imports
from models.kernel.errors import Conflict, FieldProblem, Invalid
from models.kernel.storage import database
from models.ports import channel_facts
from models.requesters.tables import Identity, OrganisationDomain, Requester

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList  # cold start: loaded when an organisation gets a domain

# Labels of letters, digits and hyphens (RFC 1123 section 2.1), or of other scripts as mail programs show them.
_LABEL = r"(?!-)[^\W_](?:[\w-]{0,61}[^\W_])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
# Limits.
domain_chars_max = 253  # RFC 1035 section 2.3.4
labels_max = 6  # of a mail domain that are compared with organisations; deeper hosts are no mail domains
of_organisation_max = 50  # a company with more has one entry too many in its file

# Providers whose mailboxes anybody can have. Their users are no organisation.
_PROVIDERS = """
aol.com fastmail.com free.fr freenet.de gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net googlemail.com hotmail.com
icloud.com laposte.net libero.it live.com mac.com mail.com mail.ru me.com msn.com orange.fr outlook.com outlook.de
posteo.de proton.me protonmail.com qq.com rambler.ru t-online.de tutanota.com wanadoo.fr web.de ya.ru yahoo.com yahoo.de
yandex.com yandex.ru ymail.com zoho.com 126.com 163.com
"""
MAILBOX_PROVIDERS = frozenset(_PROVIDERS.split())


def candidates(address: str) -> tuple[str, ...]:
    """Return the domain of a mail address and the domains above it, the longest first; empty without a domain."""
    labels = address.rpartition("@")[2].lower().split(".")[-labels_max:]
    return tuple(".".join(labels[start:]) for start in range(len(labels) - 1))


def organisation_of(channel: str, address: str) -> UUID | None:
    """Return the organisation of a mail address by its domain, or None."""
    if not channel_facts.of(channel).addresses_are_emails:
        return None
    places, values = database.in_list("domain", candidates(address))
    row = database.one(
        f"SELECT organisation_id FROM organisation_domains WHERE domain IN {places}"
        " ORDER BY length(domain) DESC LIMIT 1",
        values,
    )
    return None if row is None else OrganisationDomain.converted(row)["organisation_id"]


def join(requester_id: UUID, channel: str, address: str) -> None:
    """Make a person without an organisation a member of the organisation of their mail address."""
    organisation_id = organisation_of(channel, address)
    if organisation_id is not None:
        Requester.update(organisation_id=organisation_id).where(
            Requester.id == requester_id, Requester.organisation_id.is_null()
        ).execute()


def normal(domains: Sequence[str], *, path: str = "/domains") -> list[str]:
    """Return domains in the form in which addresses are compared, each once. Raises Invalid."""
    problems, found = [], []
    for index, text in enumerate(domains):
        domain = text.strip().removeprefix("@").rstrip(".").lower()
        if (wrong := _wrong(domain)) is not None:
            problems.append(FieldProblem(f"{path}/{index}", f"{wrong}, found {text[:80]!r}"))
        found.append(domain)
    if problems:
        raise Invalid(problems)
    return list(dict.fromkeys(found))


def _wrong(domain: str) -> str | None:
    if len(domain) > domain_chars_max or _DOMAIN.fullmatch(domain) is None:
        return "expected a domain such as firma.example"
    if domain in MAILBOX_PROVIDERS:
        return "expected a domain of the organisation alone; anybody can have a mailbox at this provider"
    if domain.isascii() and _list().privatesuffix(domain) is None:
        return "expected a domain that one organisation registered, not a public suffix"
    return None


@lru_cache(maxsize=1)
def _list() -> PublicSuffixList:
    imports.load("publicsuffixlist")
    from publicsuffixlist import PublicSuffixList  # cold start: loaded when an organisation gets a domain

    return PublicSuffixList()


def replace(organisation_id: UUID, domains: Sequence[str]) -> None:
    """Give an organisation these domains instead of those that it has. People without an organisation who have an
    address of a new domain become members.

    Raises Conflict for a domain of another organisation.
    """
    known = set(of(organisation_id))
    gone = OrganisationDomain.organisation_id == organisation_id
    OrganisationDomain.delete().where(gone, OrganisationDomain.domain.not_in(list(domains))).execute()
    for domain in [one for one in domains if one not in known]:
        taken = OrganisationDomain.get_or_none(OrganisationDomain.domain == domain)
        if taken is not None:
            raise Conflict(f"the domain {domain} belongs to organisation {taken.organisation_id}")
        OrganisationDomain.insert(domain=domain, organisation_id=organisation_id).execute()
        _adopt(organisation_id, domain)


def _adopt(organisation_id: UUID, domain: str) -> None:
    """Make people of a domain members, if they have no organisation."""
    at_domain = Identity.address.endswith(f"@{domain}") | Identity.address.endswith(f".{domain}")
    people = Identity.select(Identity.requester_id).where(Identity.channel == channel_facts.with_emails(), at_domain)
    Requester.update(organisation_id=organisation_id).where(
        Requester.organisation_id.is_null(), Requester.erased_at.is_null(), Requester.id.in_(people)
    ).execute()


def of(organisation_id: UUID) -> list[str]:
    """Return the domains of an organisation, by name."""
    query = OrganisationDomain.select(OrganisationDomain.domain).where(
        OrganisationDomain.organisation_id == organisation_id
    )
    return [row["domain"] for row in database.rows(query.order_by(OrganisationDomain.domain))]
