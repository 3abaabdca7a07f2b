"""List permissions and roles; create, change and delete custom roles."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from models import migrations
from models.events.commands import SYSTEM
from models.identity import roles
from models.identity.rules import Permission, Role
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.storage import database
from scripts import _cli


def _permissions(texts: list[str]) -> list[Permission]:
    unknown = [text for text in texts if text not in {str(one) for one in Permission}]
    if unknown:
        raise Invalid([FieldProblem("permissions", f"unknown: {', '.join(unknown)[:200]}; see `permissions`")])
    return [Permission(text) for text in texts]


def _line(role: roles.DeskRole) -> str:
    based = "" if role.shipped else f" (based on {role.based_on})"
    return f"{role.name}{based}: {' '.join(sorted(role.permissions)) or 'no permission'}"


def _list(options: argparse.Namespace) -> None:
    with database.connection():
        for role in roles.all_roles():
            print(_line(role))


def _list_permissions(options: argparse.Namespace) -> None:
    for permission in Permission:
        print(f"{permission:20} {permission.description}")


def _add(options: argparse.Namespace) -> None:
    made = roles.create(
        options.name,
        _permissions(options.permissions),
        based_on=Role(options.based_on or Role.agent),
        description=options.description or "",
        actor=SYSTEM,
    )
    print(f"created {_line(made)}")


def _change(options: argparse.Namespace) -> None:
    changes: dict[str, object] = {}
    if options.permissions:
        changes["permissions"] = _permissions(options.permissions)
    if options.based_on is not None:
        changes["based_on"] = Role(options.based_on)
    if options.description is not None:
        changes["description"] = options.description
    print(f"changed {_line(roles.update(options.name, changes, expected_version=None, actor=SYSTEM))}")


def _delete(options: argparse.Namespace) -> None:
    roles.delete(options.name, actor=SYSTEM)
    print(f"deleted {options.name}")


_VERBS: dict[str, Callable[[argparse.Namespace], None]] = {
    "list": _list,
    "permissions": _list_permissions,
    "add": _add,
    "change": _change,
    "delete": _delete,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.roles", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list", help="print the roles with their permissions")
    verbs.add_parser("permissions", help="print each permission and what it allows")
    for verb, text, permissions in (
        ("add", "create a custom role", "the permissions of the role"),
        ("change", "change a custom role", "the new permissions (default: they stay)"),
    ):
        one = verbs.add_parser(verb, help=text)
        one.add_argument("name", help="name of the role, such as shift-lead")
        one.add_argument("permissions", nargs="*", metavar="PERMISSION", help=permissions)
        one.add_argument(
            "--based-on",
            choices=[str(role) for role in Role],
            help="shipped role that life cycles and fields see (default of add: agent)",
        )
        one.add_argument("--description", help="one line about the role (default of add: none)")
    one = verbs.add_parser("delete", help="delete a custom role that nobody has")
    one.add_argument("name", help="name of the role")
    options = parser.parse_args()
    _cli.connect("roles")
    migrations.check()
    _VERBS[options.verb](options)
    return 0


if __name__ == "__main__":
    _cli.end(main)
