"""A definition whose file was taken away: `plan` sees it, `apply` retires it, and live tickets keep it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from models.definitions import store
from models.kernel.errors import ConfigurationError, Invalid, NotFound
from models.kernel.storage import database
from models.ports.inbound import InboundMessage
from models.publishing import publishing, retirement, workflows
from scripts import defs
from tests.architecture.code import REPOSITORY
from tests.desk import Desk
from tests.functions.callers import sqlite_only


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped definitions, which the desk's database has in force."""
    return Path(shutil.copytree(defs.ROOT, tmp_path / "ours"))


def absent(folder: Path) -> dict[tuple[str, str], str]:
    """The definitions without a file, with the reason why each stays."""
    with database.connection():
        store.forget()
        found = defs.read_all(folder, demo=True)
        return {(one.kind, one.name): one.kept for one in retirement.absent(found)}


def retire(folder: Path) -> None:
    gone = [key for key, kept in absent(folder).items() if not kept]
    publishing.apply(defs.read_all(folder, demo=True), by="tests", gone=gone)
    store.forget()


def remove_purchase(folder: Path) -> None:
    shutil.rmtree(folder / "purchase")
    (folder / "model" / "purchase.yaml").unlink()


def name_purchase(folder: Path) -> Path:
    """Let an account's file name the life cycle `purchase`."""
    account = folder / "channels" / "telegram.demo.yaml"
    account.write_text(account.read_text().replace("workflow: support", "workflow: purchase"))
    return account


@sqlite_only
def test_a_life_cycle_and_its_type_are_retired_together_and_come_back(desk: Desk, folder: Path) -> None:
    remove_purchase(folder)

    assert absent(folder) == {("workflow", "purchase"): "", ("model", "purchase"): ""}
    retire(folder)

    with database.connection():
        assert store.latest("workflow", "purchase") is None
        with pytest.raises(ConfigurationError, match="no life cycle 'purchase' is published"):
            workflows.newest("purchase")
        assert store.retired_at("workflow", "purchase") is not None
    assert absent(folder) == {}
    defs.publish(defs.read_all(demo=True), by="tests")
    store.forget()
    with database.connection():
        back = store.latest("workflow", "purchase")
        assert back is not None
        assert back.version == 2
        assert store.retired_at("workflow", "purchase") is None


@sqlite_only
def test_a_rollback_puts_a_retired_definition_in_force_again(desk: Desk, folder: Path) -> None:
    remove_purchase(folder)
    retire(folder)

    with database.transaction(), pytest.raises(Invalid, match="there is no ticket type 'purchase'"):
        publishing.rollback("workflow", "purchase", to=None, by="tests", reason="needed")
    for kind in ("model", "workflow"):
        with database.transaction():
            assert publishing.rollback(kind, "purchase", to=None, by="tests", reason="needed") == 1

    with database.connection():
        assert store.latest("workflow", "purchase") is not None


@sqlite_only
def test_a_live_ticket_keeps_its_life_cycle_and_its_type(desk: Desk, folder: Path) -> None:
    desk.create_ticket(type="purchase")
    remove_purchase(folder)

    assert absent(folder) == {
        ("workflow", "purchase"): "1 live tickets need it",
        ("model", "purchase"): "1 live tickets need it",
    }


@sqlite_only
def test_a_file_that_names_a_removed_life_cycle_is_refused_with_the_place(desk: Desk, folder: Path) -> None:
    account = name_purchase(folder)
    remove_purchase(folder)

    with pytest.raises(Invalid, match="there is no life cycle 'purchase'") as caught:
        absent(folder)

    assert [problem.path.split(":")[0] for problem in caught.value.problems] == [str(account)]


@sqlite_only
def test_a_definition_that_another_one_names_is_kept_with_the_place(desk: Desk, folder: Path) -> None:
    desk.receive(InboundMessage("42", "Ada", "42", "It burns.", conversation_address="42"), channel="telegram")
    desk.run_due()
    account = name_purchase(folder)
    defs.publish(defs.read_all(folder, demo=True), by="tests")
    remove_purchase(folder)
    account.unlink()

    assert absent(folder) == {
        ("channel", "telegram.demo"): "1 live tickets need it",
        ("workflow", "purchase"): "channel account telegram.demo: .workflow names purchase",
        ("model", "purchase"): "life cycle purchase, version 1 (in force): .types[0] there is no ticket type 'purchase'"
        " in the information model [undefined_type]; publish the life cycle in the same bundle, or keep a field with"
        " `retired: true`",
    }


@sqlite_only
def test_a_version_of_the_api_has_no_file_and_stays(desk: Desk, folder: Path) -> None:
    with database.transaction():
        body = store.latest("workflow", "purchase")
        assert body is not None
        store.publish("workflow", "purchase", body.body | {"description": "x"}, source="", by="user:1", origin="api")
    remove_purchase(folder)

    assert ("workflow", "purchase") not in absent(folder)


@sqlite_only
def test_an_account_of_the_demo_is_not_absent_without_the_demo(desk: Desk, folder: Path) -> None:
    with database.connection():
        found = defs.read_all(folder, demo=False)

        assert [one.kind for one in retirement.absent(found)] == ["channel"] * 3
        assert retirement.absent(found, skipped=defs.skipped(folder)) == []


@sqlite_only
def test_a_fragment_and_an_account_are_retired(desk: Desk, folder: Path) -> None:
    (folder / "channels" / "webhook.demo.yaml").unlink()
    (folder / "shared" / "spare.yaml").write_text("fragment: timers\ntimers: {}\n")
    defs.publish(defs.read_all(folder, demo=True), by="tests")
    (folder / "shared" / "spare.yaml").unlink()

    retire(folder)

    with database.connection():
        assert store.latest("fragment", "shared/spare.yaml") is None
        assert store.latest("channel", "webhook.demo") is None


@sqlite_only
def test_nothing_is_known_of_a_definition_that_never_was(desk: Desk) -> None:
    with database.transaction(), pytest.raises(NotFound):
        publishing.rollback("workflow", "nothing", to=None, by="tests", reason="x")


def test_plan_shows_the_retirement_and_apply_does_it(
    folder: Path, migrated_sqlite_template: Path, tmp_path: Path
) -> None:
    database_file = tmp_path / "nestor.db"
    shutil.copy(migrated_sqlite_template, database_file)
    environment = os.environ | {
        "SECRET_KEY": "a key of forty-two characters for the test",
        "DATABASE_URL": f"sqlite:///{database_file}",
        "DEFINITIONS_DIR": str(folder),
    }

    def run(*words: str) -> str:
        ended = subprocess.run(
            [sys.executable, "-m", "scripts.defs", *words],
            cwd=REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        return ended.stdout

    run("apply", "--demo")
    remove_purchase(folder)

    planned, kept, applied = run("plan", "--demo"), run("apply", "--demo", "--keep-absent"), run("apply", "--demo")

    assert "workflow purchase: would be retired (version 1): its file is gone" in planned
    assert "0 retired" in kept
    assert "retired workflow purchase" in applied
    assert "retired from" in run("history", "purchase")
