"""/v1/permissions and /v1/roles: the rights of users and API keys."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from functions.http.operations import Answer, Call, Operations
from functions.views import representations as show
from functions.views.texts import LINE_OR_NONE, Word
from models.identity import roles
from models.identity.rules import Permission, Role
from models.kernel import limits
from models.kernel.open_json import JsonObject

operations = Operations()

RoleDescription = Annotated[str, msgspec.Meta(max_length=limits.name_chars_max, pattern=LINE_OR_NONE)]
Permissions = Annotated[list[Permission], msgspec.Meta(max_length=len(Permission))]


class PermissionShown(msgspec.Struct):
    """A permission and what it allows."""

    name: Permission
    description: str


class PermissionList(msgspec.Struct):
    """All permissions."""

    items: list[PermissionShown]


class RoleShown(msgspec.Struct):
    """A role that users and API keys can have.

    `based_on` is the shipped role that life cycles and fields see. `created_at` is null for a shipped role.
    """

    name: str
    based_on: Role
    description: str
    permissions: list[Permission]
    shipped: bool
    version: int
    created_at: datetime | None
    updated_at: datetime | None


class RoleList(msgspec.Struct):
    """The shipped roles, then the custom ones by name."""

    items: list[RoleShown]


class NewRole(msgspec.Struct, forbid_unknown_fields=True):
    """A custom role to create."""

    name: Word
    permissions: Permissions
    based_on: Role = Role.agent
    description: RoleDescription = ""


class RoleChanges(msgspec.Struct, forbid_unknown_fields=True):
    """The properties to change; others keep their values. The holders of the role have the new rights immediately."""

    permissions: Permissions | msgspec.UnsetType = msgspec.UNSET
    based_on: Role | msgspec.UnsetType = msgspec.UNSET
    description: RoleDescription | msgspec.UnsetType = msgspec.UNSET


def _shown(role: roles.DeskRole) -> RoleShown:
    return RoleShown(
        role.name,
        role.based_on,
        role.description,
        sorted(role.permissions),
        role.shipped,
        role.version,
        role.created_at,
        role.updated_at,
    )


def _answer(role: roles.DeskRole, status: int = 200, **headers: str) -> Answer:
    return Answer(_shown(role), status=status, headers=show.etag(role.version) | headers)


@operations.add(
    "GET",
    "/v1/permissions",
    summary="List permissions",
    needs=Permission.users_read,
    answers={200: PermissionList},
)
def list_permissions(call: Call) -> Answer:
    """Each operation needs one permission at most; `security` in the OpenAPI document names it."""
    return Answer(PermissionList([PermissionShown(one, one.description) for one in Permission]))


@operations.add("GET", "/v1/roles", summary="List roles", needs=Permission.users_read, answers={200: RoleList})
def list_roles(call: Call) -> Answer:
    """The shipped roles, then the custom ones by name."""
    return Answer(RoleList([_shown(role) for role in roles.all_roles()]))


@operations.add(
    "GET",
    "/v1/roles/{role}",
    summary="Get a role",
    needs=Permission.users_read,
    answers={200: RoleShown},
    problems=(404,),
)
def read_role(call: Call) -> Answer:
    """The ETag is the version that a change expects in If-Match."""
    return _answer(roles.get(call.params["role"]))


@operations.add(
    "POST",
    "/v1/roles",
    summary="Create a custom role",
    needs=Permission.roles_manage,
    recent=True,
    body=NewRole,
    answers={201: RoleShown},
    problems=(409,),
)
def create_role(call: Call[NewRole]) -> Answer:
    """The caller must have all permissions of the role."""
    body = call.body
    made = roles.create(
        body.name,
        body.permissions,
        based_on=body.based_on,
        description=body.description,
        by=call.caller,
        actor=call.caller.actor,
    )
    return _answer(made, 201, Location=f"/v1/roles/{made.name}")


@operations.add(
    "PATCH",
    "/v1/roles/{role}",
    summary="Update a custom role",
    needs=Permission.roles_manage,
    recent=True,
    body=RoleChanges,
    answers={200: RoleShown},
    problems=(404, 409),
    etag=True,
)
def change_role(call: Call[RoleChanges]) -> Answer:
    """The caller must have all permissions that the role has before and after the change."""
    expected = call.expected_version()
    given: JsonObject = msgspec.structs.asdict(call.body)
    changes = {name: value for name, value in given.items() if value is not msgspec.UNSET}
    made = roles.update(
        call.params["role"], changes, expected_version=expected, by=call.caller, actor=call.caller.actor
    )
    return _answer(made)


@operations.add(
    "DELETE",
    "/v1/roles/{role}",
    summary="Delete a custom role",
    needs=Permission.roles_manage,
    recent=True,
    answers={204: None},
    problems=(404, 409),
)
def delete_role(call: Call) -> Answer:
    """A role that users or API keys have is not deleted."""
    roles.delete(call.params["role"], by=call.caller, actor=call.caller.actor)
    return Answer(status=204)
