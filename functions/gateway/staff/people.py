"""/v1/users and /v1/api_keys: the people and machines that may use the API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

from functions.gateway.staff.roles import Permissions
from functions.http.operations import Answer, Call, Idempotency, Operations
from functions.views import pages
from functions.views import representations as show
from functions.views.texts import LANGUAGE_TAG, Instant, Name, UserEmail, Word
from models.credentials import password_links
from models.desk_mail import commands as desk_mail
from models.identity import api_keys, commands, queries, roles
from models.identity.rules import Permission
from models.kernel import limits
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.open_json import JsonObject
from models.offboarding import commands as offboarding

operations = Operations()

Locale = Annotated[str, msgspec.Meta(max_length=limits.locale_chars_max, pattern=LANGUAGE_TAG)]
Password = Annotated[str, msgspec.Meta(min_length=limits.password_chars_min, max_length=limits.password_chars_max)]


class User(msgspec.Struct):
    """A person who works with the desk.

    `ready_at` is null until the user's account is open; until then no ticket can be assigned to the user.
    """

    id: UUID
    email: str
    name: str
    role: str
    active: bool
    locale: str
    version: int
    created_at: datetime
    updated_at: datetime
    ready_at: datetime | None


class UserPage(msgspec.Struct):
    """A page of users."""

    items: list[User]
    next_cursor: str | None


class NewUser(msgspec.Struct, forbid_unknown_fields=True):
    """A user to create. Without a password, the user gets an invitation by mail and chooses one. `locale` defaults to
    the desk's first language.
    """

    email: UserEmail
    name: Name
    role: Word
    password: Password | None = None
    locale: Locale | None = None


class UserChanges(msgspec.Struct, forbid_unknown_fields=True):
    """The properties to change; others keep their values.

    Deactivation, a new role, address or password ends the sessions of the user. Deactivation also revokes API keys,
    pauses outgoing webhooks and removes chat addresses. It frees the user's open tickets, as does a role that does not
    work on tickets. `POST /v1/users/{user}/handovers` keeps keys and webhooks, and gives the tickets to a colleague.
    """

    email: UserEmail | msgspec.UnsetType = msgspec.UNSET
    name: Name | msgspec.UnsetType = msgspec.UNSET
    role: Word | msgspec.UnsetType = msgspec.UNSET
    locale: Locale | msgspec.UnsetType = msgspec.UNSET
    active: bool | msgspec.UnsetType = msgspec.UNSET
    password: Password | msgspec.UnsetType = msgspec.UNSET


class UserQuery(pages.PageQuery, kw_only=True):
    """Filters for the list of users."""

    role: Word | None = None
    active: bool | None = None


class ApiKey(msgspec.Struct):
    """An API key without its secret.

    The key has those permissions of its role, within its scopes, that its owner has now. Null `scopes` are all
    permissions of the role. `last_used_at` is exact to a minute.
    """

    id: UUID
    name: str
    role: str
    owner_id: UUID | None
    scopes: list[Permission] | None
    prefix: str
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class MadeApiKey(ApiKey):
    """A new API key. `key` is returned only once."""

    key: str


class ApiKeyPage(msgspec.Struct):
    """A page of API keys, including revoked ones."""

    items: list[ApiKey]
    next_cursor: str | None


class NewApiKey(msgspec.Struct, forbid_unknown_fields=True):
    """An API key to create.

    Without `owner_id` the caller owns it, without `role` it has the owner's role, without `scopes` all permissions of
    the role, and without `expires_at` it ends in 90 days.
    """

    name: Name
    role: Word | None = None
    scopes: Permissions | None = None
    owner_id: UUID | None = None
    expires_at: Instant | None = None


def _copied(kind: type[Any], row: Any) -> Any:
    return kind(**{name: getattr(row, name) for name in kind.__struct_fields__})


def _user(row: queries.User, status: int = 200, **headers: str) -> Answer:
    return Answer(_copied(User, row), status=status, headers=show.etag(row.version) | headers)


@operations.add(
    "POST",
    "/v1/users",
    summary="Create a user",
    needs=Permission.users_manage,
    recent=True,
    body=NewUser,
    answers={201: User},
    problems=(409,),
)
def create_user(call: Call[NewUser]) -> Answer:
    """The e-mail address is unique, compared without case.

    The caller must have all rights of the role. Without a password, the desk mails the user an invitation; that needs
    an e-mail account with `system: true`.
    """
    body = call.body
    if body.password is None:
        desk_mail.require_system_account()
    made = commands.create_user(
        body.email, body.name, body.password, body.role, body.locale, by=call.caller, actor=call.caller.actor
    )
    if body.password is None:
        password_links.send(made.id, "invitation")
    return _user(made, 201, Location=f"/v1/users/{made.id}")


@operations.add(
    "GET", "/v1/users", summary="List users", needs=Permission.users_read, query=UserQuery, answers={200: UserPage}
)
def list_users(call: Call[None, UserQuery]) -> Answer:
    """Newest first."""
    before = pages.decode(call.query.cursor, "users", pages.instant, UUID)
    position = (before[0], before[1]) if before else None
    if call.query.role is not None and roles.problems_of(call.query.role):
        raise Invalid([FieldProblem("?role", "expected the name of a role; GET /v1/roles lists them")])
    rows = queries.page_of_users(
        role=call.query.role, active=call.query.active, before=position, limit=call.query.limit + 1
    )
    page, cursor = pages.cut(rows, call.query.limit, "users", lambda row: (row.created_at, row.id))
    return Answer(UserPage([_copied(User, row) for row in page], cursor))


@operations.add(
    "GET", "/v1/users/{user}", summary="Get a user", needs=Permission.users_read, answers={200: User}, problems=(404,)
)
def read_user(call: Call) -> Answer:
    """The ETag is the version that a change expects in If-Match."""
    return _user(queries.get_user(pages.id_of(call.params["user"], "user")))


@operations.add(
    "PATCH",
    "/v1/users/{user}",
    summary="Update a user",
    needs=Permission.users_manage,
    recent=True,
    body=UserChanges,
    answers={200: User},
    problems=(404, 409),
    etag=True,
)
def change_user(call: Call[UserChanges]) -> Answer:
    """The last active administrator cannot be deactivated or given another role.

    The caller must have all rights that the user has before and after the change.
    """
    expected = call.expected_version()
    changes = {name: value for name, value in msgspec.structs.asdict(call.body).items() if value is not msgspec.UNSET}
    user_id = pages.id_of(call.params["user"], "user")
    made = offboarding.update_user(user_id, changes, expected_version=expected, by=call.caller, actor=call.caller.actor)
    return _user(made)


def _of_key(key: queries.ApiKey) -> JsonObject:
    scopes = key.permissions
    values = {name: getattr(key, name) for name in ApiKey.__struct_fields__}
    return values | {"scopes": None if scopes is None else sorted(scopes)}


@operations.add(
    "POST",
    "/v1/api_keys",
    summary="Create an API key",
    needs=Permission.api_keys_manage,
    recent=True,
    body=NewApiKey,
    answers={201: MadeApiKey},
    unlocked=True,
    idempotency=Idempotency.refused,
)
def create_api_key(call: Call[NewApiKey]) -> Answer:
    """The key is returned only once. An Idempotency-Key is refused, because a stored response would hold the
    key. The caller must have all rights of the role.
    """
    body = call.body
    record, key = api_keys.create(
        body.name,
        body.role,
        body.expires_at,
        owner_id=body.owner_id or call.caller.owner_id,
        scopes=body.scopes,
        by=call.caller,
        actor=call.caller.actor,
    )
    headers = {"Location": f"/v1/api_keys/{record.id}", "Cache-Control": "no-store"}
    return Answer(MadeApiKey(key=key, **_of_key(record)), status=201, headers=headers)


@operations.add(
    "GET",
    "/v1/api_keys",
    summary="List API keys",
    needs=Permission.api_keys_manage,
    query=pages.PageQuery,
    answers={200: ApiKeyPage},
)
def list_api_keys(call: Call[None, pages.PageQuery]) -> Answer:
    """Newest first, including revoked keys."""
    before = pages.decode(call.query.cursor, "api_keys", pages.instant, UUID)
    rows = queries.page_of_api_keys(before=(before[0], before[1]) if before else None, limit=call.query.limit + 1)
    page, cursor = pages.cut(rows, call.query.limit, "api_keys", lambda row: (row.created_at, row.id))
    return Answer(ApiKeyPage([ApiKey(**_of_key(row)) for row in page], cursor))


@operations.add(
    "DELETE",
    "/v1/api_keys/{key}",
    summary="Revoke an API key",
    needs=Permission.api_keys_manage,
    recent=True,
    answers={200: ApiKey},
    problems=(404,),
)
def revoke_api_key(call: Call) -> Answer:
    """The key is rejected immediately. Its record is kept."""
    revoked = api_keys.revoke(pages.id_of(call.params["key"], "API key"), actor=call.caller.actor)
    return Answer(ApiKey(**_of_key(revoked)))
