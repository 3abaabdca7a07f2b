"""Tables of the links by which users choose a password."""

from __future__ import annotations

import peewee

from models.kernel.table import IdField, InstantField, Table


class PasswordLink(Table):
    """A link to choose a password. `purpose` is `invitation` or `password_reset`.

    `password_mark` names the password that the user had: any change of the password ends the link.
    """

    id = IdField(primary_key=True)
    user_id = IdField()
    purpose = peewee.TextField()
    token_hash = peewee.TextField()
    password_mark = peewee.TextField()
    created_at = InstantField()
    expires_at = InstantField()
    used_at = InstantField(null=True)

    class Meta:
        table_name = "password_links"
