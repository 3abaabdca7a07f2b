"""The tables of the portal."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, Table


class PortalLink(Table):
    """A link that signs the owner of an address in. `token_hash`: the table alone gives nobody a link."""

    id = IdField(primary_key=True)
    address = peewee.TextField()
    locale = peewee.TextField()
    token_hash = peewee.TextField()
    created_at = InstantField()
    expires_at = InstantField()
    used_at = InstantField(null=True)

    class Meta:
        table_name = "portal_links"


class PortalSession(Table):
    """A visit of the owner of a mail address. The requester is the one who owns the address at each request."""

    id = IdField(primary_key=True)
    address = peewee.TextField()
    token_hash = peewee.TextField()
    created_at = InstantField()
    expires_at = InstantField()
    ended_at = InstantField(null=True)

    class Meta:
        table_name = "portal_sessions"
