"""Visits of the portal in tests: a link by mail, the press, the session."""

from __future__ import annotations

import re

from models.kernel.storage import database
from models.portal import sign_in
from models.portal.sign_in import Visitor
from tests.desk import Desk

TOKEN = re.compile(r"/portal/links/(nsl_[A-Za-z0-9_-]+)")
ADA = "ada@example.com"


def mailed(desk: Desk, address: str = ADA, *, client: str = "192.0.2.1", locale: str = "en") -> list[str]:
    """Request a link; the tokens of the mails that were sent for it."""
    before = len(desk.sent)
    sign_in.request_link(address, locale=locale, client=client)
    desk.run_due()
    return [match[1] for sent in desk.sent[before:] if (match := TOKEN.search(sent.body))]


def pressed(token: str, *, former: str | None = None) -> str:
    """Press the button on the page of a link; the token of the new session."""
    with database.connection(), database.transaction():
        return sign_in.sign_in(token, former=former)[0]


def visitor_of(session: str) -> Visitor:
    with database.connection():
        return sign_in.authenticate(session)


def visit(desk: Desk, address: str = ADA) -> Visitor:
    """A visitor who signed in by the mail to their address."""
    (token,) = mailed(desk, address)
    return visitor_of(pressed(token))


def count(desk: Desk, table: str) -> int:
    """The number of rows of a table."""
    return int(desk.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"])
