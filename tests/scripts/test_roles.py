"""`python -m scripts.roles` as an operator uses it."""

from __future__ import annotations

import pytest

from tests.scripts.verbs import run_verb

pytestmark = [
    pytest.mark.usefixtures("desk_environment"),
    pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True),
]


def test_an_operator_makes_changes_and_deletes_a_custom_role() -> None:
    made = run_verb("roles", "add", "shift-lead", "tickets_read", "tasks_read", "--based-on", "manager")
    changed = run_verb("roles", "change", "shift-lead", "tickets_read", "--description", "Leads the shift.")
    listed = run_verb("roles", "list")
    deleted = run_verb("roles", "delete", "shift-lead")

    assert made.stdout == "created shift-lead (based on manager): tasks_read tickets_read\n", made.stderr
    assert changed.stdout == "changed shift-lead (based on manager): tickets_read\n", changed.stderr
    assert "shift-lead (based on manager): tickets_read\n" in listed.stdout
    assert listed.stdout.startswith("admin: ")
    assert deleted.stdout == "deleted shift-lead\n", deleted.stderr
    assert "shift-lead" not in run_verb("roles", "list").stdout


def test_an_unknown_permission_is_named_and_nothing_is_made() -> None:
    refused = run_verb("roles", "add", "lead", "tickets_read", "everything")

    assert refused.returncode == 1
    assert "unknown: everything" in refused.stderr
    assert "lead" not in run_verb("roles", "list").stdout
    assert "tickets_read " in run_verb("roles", "permissions").stdout
