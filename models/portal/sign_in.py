"""The sign-in of a requester: a link by mail, a press on its page, a session.

The request of a link stores the same rows for every address, and a worker decides if a mail leaves. Neither the
response nor its time tells a stranger whether the desk knows an address. A mail scanner that opens links signs nobody
in, because only a POST uses a link.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from models.channels import accounts
from models.desk_mail import commands as desk_mail
from models.desk_mail import links as tokens
from models.identity.sign_in import sign_in_limits
from models.kernel import clock
from models.kernel import limits as kernel_limits
from models.kernel.errors import Conflict, TooManyRequests, Unauthenticated
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.kernel.storage.table import for_update
from models.portal import limits
from models.portal.tables import PortalLink, PortalSession
from models.ports import channel_facts
from models.requesters import codes
from models.requesters import commands as requesters
from models.requesters.commands import normalise_address
from models.requesters.tables import Requester
from models.tasks import commands as tasks
from models.tasks import rates
from models.tasks.payloads import MailPortalLink

MAIL_KIND = "portal_link"


class LinkEnded(Conflict):
    """The link is wrong, was used, or is older than half an hour; request a new one."""

    code = "portal_link_ended"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who proved a mail address. `requester` is None until the desk has anything from the address."""

    session_id: UUID
    address: str
    expires_at: datetime
    requester: Requester | None

    @property
    def key(self) -> str:
        """The name of the visitor where uploads and repeated forms are stored."""
        return f"portal:{self.session_id}"

    @property
    def address_name(self) -> str:
        """A name for the address in rate limits, which does not reveal it."""
        return _address_name(self.address)

    @property
    def name(self) -> str:
        return self.address if self.requester is None else self.requester.name


def request_link(address: str, *, locale: str, client: str) -> None:
    """Have a link mailed to the address. `locale`: the language of the mail; `client`: the caller's network address.

    A request beyond the limit of its address is ignored without a word, because an error would tell a stranger that
    somebody asks for it. Raises TooManyRequests beyond the limit of the client. Opens its own transaction.
    """
    address = normalise_address(channel_facts.with_emails(), address)
    of_address = rates.Bucket(
        f"portal_link:address:{_address_name(address)}", every_s=limits.link_every_s, burst=limits.links_burst
    )
    of_client = rates.Bucket(
        f"portal_link:client:{sign_in_limits.network(client)}",
        every_s=limits.link_per_client_every_s,
        burst=limits.links_per_client_burst,
    )
    with database.transaction():
        wait_s = rates.take([of_client])
        if wait_s > 0:
            raise TooManyRequests(retry_after_s=wait_s)
        if _is_address(address) and rates.take([of_address]) == 0:
            link_id, now = new_id(), clock.now()
            PortalLink.insert(
                id=link_id,
                address=address,
                locale=locale,
                token_hash=_fingerprint(tokens.token_of(link_id)),
                created_at=now,
                expires_at=now + timedelta(seconds=limits.link_s),
            ).execute()
            tasks.enqueue(MailPortalLink(link_id=link_id))


def _address_name(address: str) -> str:
    return hashlib.sha256(address.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _is_address(address: str) -> bool:
    local, _, domain = address.rpartition("@")
    has_space = any(c.isspace() or not c.isprintable() for c in address)
    return bool(local and domain) and len(address) <= kernel_limits.email_address_chars_max and not has_space


def mail_link(link_id: UUID) -> None:
    """Mail a requested link, unless its address is blocked, suppressed or the desk's own, or too many strangers asked.

    Joins the caller's transaction.
    """
    link = PortalLink.get_or_none(PortalLink.id == link_id, _usable())
    if link is None:
        return
    channel = channel_facts.with_emails()
    if codes.refusal(channel, link.address) is not None or requesters.standing(channel, link.address) is not None:
        return
    if accounts.is_ours(channel, link.address):
        return
    known = requesters.find(channel, link.address)
    strangers = rates.Bucket("portal_link:strangers", every_s=limits.stranger_every_s, burst=limits.strangers_burst)
    if known is None and rates.take([strangers]) > 0:
        return
    desk_mail.send(
        MAIL_KIND,
        address=link.address,
        name="" if known is None else known.name,
        locale=link.locale,
        user_id=None,
        facts={"minutes": round(limits.link_s / 60)},
        link_id=link.id,
        expires_at=link.expires_at,
    )


def address_of(token: str) -> str:
    """Return the address that a link signs in, for the page that asks for the press. Raises LinkEnded.

    Writes nothing: mail programs and scanners open links.
    """
    link = _found(token)
    if link is None:
        raise LinkEnded()
    return str(link.address)


def sign_in(token: str, *, former: str | None = None) -> tuple[str, datetime]:
    """Use a link and open a session; returns the token of its cookie and the end of the session.

    The session has a new random token, so nobody can give a visitor a session that they know. `former`: the token of
    the browser's earlier session, which ends. Other links of the address end too. Joins the caller's transaction.
    Raises LinkEnded.
    """
    link = _found(token, lock=True)
    if link is None:
        raise LinkEnded()
    now = clock.now()
    used = PortalLink.update(used_at=now).where(PortalLink.id == link.id, _usable()).execute()
    if not used or requesters.standing(channel_facts.with_emails(), link.address) is not None:
        raise LinkEnded()
    PortalLink.update(used_at=now).where(PortalLink.address == link.address, PortalLink.used_at.is_null()).execute()
    if former is not None:
        sign_out(former)
    made, expires_at = secrets.token_urlsafe(32), now + timedelta(seconds=limits.session_s)
    PortalSession.insert(
        id=new_id(), address=link.address, token_hash=_fingerprint(made), created_at=now, expires_at=expires_at
    ).execute()
    return made, expires_at


def authenticate(token: str | None) -> Visitor:
    """Return the visitor of a session.

    Raises Unauthenticated for none, for an ended one, and for an address that is blocked or marked as spam.
    """
    session = None if not token else PortalSession.get_or_none(PortalSession.token_hash == _fingerprint(token))
    if session is None or session.ended_at is not None or session.expires_at <= clock.now():
        raise Unauthenticated()
    channel = channel_facts.with_emails()
    if requesters.standing(channel, session.address) is not None:
        raise Unauthenticated()
    return Visitor(session.id, session.address, session.expires_at, requesters.find(channel, session.address))


def sign_out(token: str) -> None:
    """End a session; an unknown or ended one stays as it is. Joins the caller's transaction."""
    PortalSession.update(ended_at=clock.now()).where(
        PortalSession.token_hash == _fingerprint(token), PortalSession.ended_at.is_null()
    ).execute()


def _found(token: str, *, lock: bool = False) -> PortalLink | None:
    link_id = tokens.id_of(token)
    if link_id is None:
        return None
    query: Any = PortalLink.select().where(PortalLink.id == link_id, _usable())
    link: PortalLink | None = (for_update(query) if lock else query).first()
    return link if link is not None and hmac.compare_digest(link.token_hash, _fingerprint(token)) else None


def _usable() -> Any:
    return PortalLink.used_at.is_null() & (PortalLink.expires_at > clock.now())


def _fingerprint(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
