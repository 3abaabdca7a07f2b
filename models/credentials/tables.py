"""Tables of the links by which users choose a password, of second factors, and of unfinished sign-ins."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, JsonField, Table


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


class SecondFactor(Table):
    """An authenticator app (`totp`) or a passkey of a user. An app counts once its first code was entered.

    `secret` is the app's key, and `used_step` the time step of its last accepted code. The other columns with null are
    those of a passkey.
    """

    sealed = ("secret",)

    id = IdField(primary_key=True)
    user_id = IdField()
    kind = peewee.TextField()
    name = peewee.TextField()
    secret = peewee.TextField(null=True)
    used_step = peewee.BigIntegerField(null=True)
    credential_id = peewee.TextField(null=True)
    public_key = peewee.BlobField(null=True)
    sign_count = peewee.BigIntegerField(null=True)
    created_at = InstantField()
    confirmed_at = InstantField(null=True)
    last_used_at = InstantField(null=True)

    class Meta:
        table_name = "second_factors"


class RecoveryCode(Table):
    """A code that replaces a second factor once. The table has its hash only."""

    user_id = IdField()
    code_hash = peewee.TextField()
    created_at = InstantField()
    used_at = InstantField(null=True)

    class Meta:
        table_name = "recovery_codes"
        primary_key = peewee.CompositeKey("user_id", "code_hash")


class SignInChallenge(Table):
    """The state between two steps of a sign-in. `data` is what the next step needs, and holds no secret of the user."""

    id = IdField(primary_key=True)
    purpose = peewee.TextField()
    user_id = IdField(null=True)
    token_hash = peewee.TextField()
    password_mark = peewee.TextField(null=True)
    data = JsonField()
    tries_left = peewee.IntegerField()
    created_at = InstantField()
    expires_at = InstantField()
    used_at = InstantField(null=True)

    class Meta:
        table_name = "sign_in_challenges"


class OidcLink(Table):
    """The account of a user at an OpenID provider."""

    issuer = peewee.TextField()
    subject = peewee.TextField()
    user_id = IdField()
    created_at = InstantField()
    last_used_at = InstantField()

    class Meta:
        table_name = "oidc_links"
        primary_key = peewee.CompositeKey("issuer", "subject")
