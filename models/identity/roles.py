"""Roles: the shipped ones, which are code, and the custom ones of this desk, which are rows.

A custom role is a set of named permissions, based on a shipped role. Permissions decide about operations. Life cycles
and fields name shipped roles, so they see the role that a custom role is based on.

Nobody gives a role with more rights than they have: `check_covers` compares. The row of a custom role is the lock of
its use: whoever gives the role holds the row, and a deletion waits for it before it looks for users and keys.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from models.events import history
from models.events.commands import Actor
from models.events.desk_payloads import RoleCreated, RoleDeleted, RoleUpdated
from models.identity import rules
from models.identity.rules import ROLE_PERMISSIONS, SHIPPED_RIGHTS, Permission, Principal, Rights, Role
from models.identity.tables import ApiKeyRow, RoleRow, UserRow
from models.kernel import clock, limits
from models.kernel.errors import Conflict, FieldProblem, Forbidden, Invalid, NotFound, PreconditionFailed
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.kernel.storage.advisory_lock import advisory_lock
from models.kernel.storage.table import first, for_update


class RoleTaken(Conflict):
    """Another role has this name."""

    code = "role_taken"


class RoleInUse(Conflict):
    """Users or API keys have this role; give them another one first."""

    code = "role_in_use"


class ShippedRole(Conflict):
    """The shipped roles cannot be changed; create a custom role."""

    code = "shipped_role"


class MoreThanYours(Forbidden):
    """You cannot give more permissions than you have."""

    code = "more_than_yours"


_SHIPPED_WORDS: Final[Mapping[Role, str]] = {
    Role.admin: "Has every permission.",
    Role.manager: "Works on tickets, repairs deliveries and tasks, and reads users.",
    Role.accountant: "Reads paid tasks and keeps the ledger.",
    Role.agent: "Works on tickets.",
}


_BY_NAME: Final = {str(permission): permission for permission in Permission}


@dataclass(frozen=True, slots=True)
class DeskRole:
    """A role that users and API keys can have. `created_at` is None for a shipped role."""

    name: str
    based_on: Role
    description: str
    permissions: frozenset[Permission]
    version: int = 1
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def shipped(self) -> bool:
        return self.created_at is None

    @property
    def rights(self) -> Rights:
        return Rights(self.name, self.based_on, self.permissions)


def in_words(permissions: Collection[Permission]) -> str:
    """Return the stored form of a set of permissions: names in order, each between two blanks."""
    return f" {' '.join(sorted(permissions))} " if permissions else " "


def from_words(words: str) -> frozenset[Permission]:
    """Return the permissions of the stored form. A permission that a newer program stored is left out."""
    return frozenset(_BY_NAME[word] for word in words.split() if word in _BY_NAME)


def rights_from(name: str, based_on: str | None, words: str | None) -> Rights | None:
    """Return the rights of a role: of a shipped one by its name, of a custom one by the columns of its row.

    Returns None for a name that is neither, so that a caller gives no rights.
    """
    if name in SHIPPED_RIGHTS:
        return SHIPPED_RIGHTS[name]
    if based_on is None or words is None:
        return None
    return Rights(name, Role(based_on), from_words(words))


def rights_of(name: str) -> Rights | None:
    """Return the rights that a role gives now, or None for an unknown role. A shipped role costs no statement."""
    if name in SHIPPED_RIGHTS:
        return SHIPPED_RIGHTS[name]
    row = database.one("SELECT based_on, permissions FROM roles WHERE name = :name", name=name)
    return None if row is None else rights_from(name, row["based_on"], row["permissions"])


def works_on_tickets(role: str) -> bool:
    """Return True if users with this role can be given tickets and can answer them."""
    rights = rights_of(role)
    return rights is not None and Permission.tickets_write in rights.permissions


def reads_tickets(role: str) -> bool:
    """Return True if users with this role can read tickets."""
    rights = rights_of(role)
    return rights is not None and Permission.tickets_read in rights.permissions


def shipped_role_of(role: str) -> str:
    """Return the shipped role that life cycles and fields see for a role; `agent` for an unknown one."""
    rights = rights_of(role)
    return str(rights.role if rights is not None else Role.agent)


# A condition on `u.role` of hand-written statements: the role has the permission `:word` (see `holders`).
HOLDERS: Final = (
    "(u.role IN {places} OR EXISTS (SELECT 1 FROM roles AS r WHERE r.name = u.role AND r.permissions LIKE :held))"
)


def holders(permission: Permission) -> tuple[str, database.Parameters]:
    """Return a condition on `u.role`, and its values: the role has the permission. Costs no statement of its own."""
    shipped = sorted(str(role) for role, permissions in ROLE_PERMISSIONS.items() if permission in permissions)
    places, values = database.in_list("role", shipped)
    return HOLDERS.replace("{places}", places), {**values, "held": f"% {permission} %"}


def all_roles() -> list[DeskRole]:
    """List the shipped roles, then the custom ones by name."""
    shipped = [DeskRole(str(role), role, _SHIPPED_WORDS[role], ROLE_PERMISSIONS[role]) for role in Role]
    return [*shipped, *(_role(row) for row in database.rows(RoleRow.select().order_by(RoleRow.name)))]


def get(name: str) -> DeskRole:
    """Read one role. Raises NotFound."""
    for role in all_roles():
        if role.name == name:
            return role
    raise NotFound(f"there is no role {name[:60]!r}")


def hold(name: str) -> Rights:
    """Return the rights of a role that is about to be given, and prevent its deletion until the transaction ends.

    Raises Invalid for an unknown role.
    """
    if name in SHIPPED_RIGHTS:
        return SHIPPED_RIGHTS[name]
    row = first(for_update(RoleRow.select().where(RoleRow.name == name)))
    if row is None:
        raise Invalid(problems_of(name))
    return _role(row).rights


def problems_of(name: str) -> list[FieldProblem]:
    """Return the problem of the name of a role that is about to be given: there is no such role."""
    with database.connection():
        if rights_of(name) is not None:
            return []
        known = ", ".join(role.name for role in all_roles())
    return [FieldProblem("role", f"expected one of {known}, found {name[:40]!r}")]


def check_covers(by: Principal | None, rights: Rights) -> None:
    """Raise MoreThanYours if `by` lacks a permission of `rights`. None is the operator, who may give everything."""
    if by is None or by.rights.covers(rights):
        return
    missing = sorted(rights.permissions - by.permissions)
    what = f"the permissions {', '.join(missing)}" if missing else f"the rights of the role {rights.role}"
    raise MoreThanYours(f"The role {rights.name} has {what}, which you do not have.")


def create(
    name: str,
    permissions: Collection[Permission],
    *,
    based_on: Role = Role.agent,
    description: str = "",
    by: Principal | None = None,
    actor: Actor,
) -> DeskRole:
    """Create a custom role. Raises Invalid, RoleTaken, or MoreThanYours."""
    if problems := [*rules.role_name_problems(name), *rules.described_problems(description)]:
        raise Invalid(problems)
    check_covers(by, Rights(name, based_on, frozenset(permissions)))
    role_id, now = new_id(), clock.now()
    with database.transaction():
        advisory_lock("roles")  # a count and an insert; otherwise two requests pass the bound together
        if RoleRow.select().count() >= limits.custom_roles_max:
            raise Conflict(f"There are {limits.custom_roles_max} custom roles, the maximum; delete one first.")
        made = RoleRow.insert(
            name=name,
            id=role_id,
            based_on=based_on,
            description=description.strip(),
            permissions=in_words(permissions),
            created_at=now,
            updated_at=now,
        )
        if not made.on_conflict_ignore().as_rowcount().execute():
            raise RoleTaken()
        created = RoleCreated(role=name, based_on=str(based_on), permissions=sorted(permissions))
        history.append("role", role_id, [created], actor=actor, at=now)
        return get(name)


def update(
    name: str, changes: Mapping[str, Any], *, expected_version: int | None, by: Principal | None = None, actor: Actor
) -> DeskRole:
    """Change `permissions`, `based_on` or `description`; the holders of the role have the new rights immediately.

    Whoever changes a role has all rights that it has before and after. Raises NotFound, ShippedRole, Invalid,
    PreconditionFailed, or MoreThanYours.
    """
    if problems := rules.described_problems(changes.get("description", "")):
        raise Invalid(problems)
    with database.transaction():
        row = _lock(name)
        before = _role(row)
        if expected_version is not None and expected_version != before.version:
            raise PreconditionFailed()
        wanted = {
            "permissions": frozenset(changes.get("permissions", before.permissions)),
            "based_on": changes.get("based_on", before.based_on),
            "description": changes.get("description", before.description).strip(),
        }
        check_covers(by, before.rights)
        check_covers(by, Rights(name, wanted["based_on"], wanted["permissions"]))
        changed = {field: value for field, value in wanted.items() if value != getattr(before, field)}
        if not changed:
            return before
        shown = {
            field: {"from": _shown(getattr(before, field)), "to": _shown(value)} for field, value in changed.items()
        }
        if "permissions" in changed:
            changed["permissions"] = in_words(wanted["permissions"])
        now = clock.now()
        RoleRow.update(**changed, version=RoleRow.version + 1, updated_at=now).where(RoleRow.name == name).execute()
        history.append("role", row["id"], [RoleUpdated(role=name, changes=shown)], actor=actor, at=now)
        return get(name)


def delete(name: str, *, by: Principal | None = None, actor: Actor) -> None:
    """Delete a custom role that nobody has. Raises NotFound, ShippedRole, RoleInUse, or MoreThanYours."""
    with database.transaction():
        row = _lock(name)
        check_covers(by, _role(row).rights)
        users = UserRow.select().where(UserRow.role == name).count()
        keys = ApiKeyRow.select().where(ApiKeyRow.role == name, ApiKeyRow.revoked_at.is_null()).count()
        if users or keys:
            raise RoleInUse(f"{users} users and {keys} API keys have the role {name}; give them another one first.")
        history.append("role", row["id"], [RoleDeleted(role=name)], actor=actor, at=clock.now())
        RoleRow.delete().where(RoleRow.name == name).execute()


def _lock(name: str) -> database.Row:
    if name in SHIPPED_RIGHTS:
        raise ShippedRole()
    row = first(for_update(RoleRow.select().where(RoleRow.name == name)))
    if row is None:
        raise NotFound(f"there is no role {name[:60]!r}")
    return row


def _role(row: Mapping[str, Any]) -> DeskRole:
    return DeskRole(
        name=row["name"],
        based_on=row["based_on"],
        description=row["description"],
        permissions=from_words(row["permissions"]),
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _shown(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else value
