"""Secrets at rest: encrypted for one row, readable with an old key, unreadable without the key or in another row."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from models.kernel import settings, vault
from models.kernel.errors import ConfigurationError, PermanentFailure
from models.kernel.storage import database, resealing
from models.subscriptions import commands, queries
from tests.desk import Desk
from tests.scripts.verbs import run_verb

OLD, NEW = f"old:{vault.new_key()}", f"new:{vault.new_key()}"
PURPOSE = vault.purpose("subscriptions", "secret", "0190a1b2-0000-7000-8000-000000000001")


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    use(monkeypatch, OLD)
    yield
    settings.current.cache_clear()


def use(
    monkeypatch: pytest.MonkeyPatch, data_keys: str, secret_key: str = "a key of forty-two characters for the test"
) -> None:
    monkeypatch.setenv("DATA_KEYS", data_keys)
    monkeypatch.setenv("SECRET_KEY", secret_key)
    settings.current.cache_clear()


def test_a_sealed_secret_opens_and_shows_nothing_of_itself() -> None:
    first, second = vault.seal(PURPOSE, b"hunter2"), vault.seal(PURPOSE, b"hunter2")

    assert vault.open(PURPOSE, first) == b"hunter2"
    assert first != second, "each value has a nonce of its own"
    assert re.fullmatch(r"sealed:old:[\w=-]{40,}", first)


@pytest.mark.parametrize(
    "moved",
    [
        vault.purpose("subscriptions", "previous_secret", "0190a1b2-0000-7000-8000-000000000001"),
        vault.purpose("subscriptions", "secret", "0190a1b2-0000-7000-8000-000000000002"),
        "",
    ],
)
def test_a_secret_does_not_open_in_another_row_or_column(moved: str) -> None:
    sealed = vault.seal(PURPOSE, b"hunter2")

    with pytest.raises(PermanentFailure, match="changed or moved"):
        vault.open(moved, sealed)


@pytest.mark.parametrize(
    "changed",
    [
        lambda sealed: sealed[:-4] + ("AAAA" if sealed[-4:] != "AAAA" else "BBBB"),
        lambda sealed: sealed[:20],
        lambda sealed: sealed + "!",
        lambda sealed: "sealed:old:",
        lambda sealed: "plain text",
        lambda sealed: "sealed:OLD:AAAA",
    ],
)
def test_a_changed_value_is_refused(changed: object) -> None:
    assert callable(changed)

    with pytest.raises(PermanentFailure):
        vault.open(PURPOSE, changed(vault.seal(PURPOSE, b"hunter2")))


def test_an_old_key_opens_and_the_first_key_seals(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = vault.seal(PURPOSE, b"hunter2")

    use(monkeypatch, f"{NEW}, {OLD}")

    assert vault.open(PURPOSE, sealed) == b"hunter2"
    assert not vault.is_current(sealed)
    assert vault.seal(PURPOSE, b"x").startswith("sealed:new:")


def test_a_missing_key_is_named_by_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = vault.seal(PURPOSE, b"hunter2")
    use(monkeypatch, NEW)

    with pytest.raises(ConfigurationError, match="the key old, which this process lacks; add it to DATA_KEYS"):
        vault.open(PURPOSE, sealed)


def test_without_data_keys_the_key_comes_from_secret_key_and_can_outlive_it(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, "", "one key of forty-two characters for a test")
    sealed = vault.seal(PURPOSE, b"hunter2")
    kept = "{}:{}".format(*vault.derived_key())

    use(monkeypatch, "", "two keys of forty-two characters for a test")
    with pytest.raises(ConfigurationError):
        vault.open(PURPOSE, sealed)
    use(monkeypatch, f"{NEW},{kept}", "two keys of forty-two characters for a test")

    assert vault.open(PURPOSE, sealed) == b"hunter2"


@pytest.mark.parametrize(
    "wrong",
    ["hunter2hunter2", "k1:hunter2hunter2", f"K!:{vault.new_key()}", f"{OLD},{OLD}", "k1:", ":"],
    ids=["no name", "no key", "wrong name", "one name twice", "empty key", "empty"],  # keys are random, ids must not be
)
def test_a_wrong_data_keys_names_the_entry_and_never_the_key(wrong: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^DATA_KEYS: entry [12]: ") as refused:
        settings.load({"DATA_KEYS": wrong})

    assert "hunter2" not in refused.value.message
    assert OLD.partition(":")[2] not in refused.value.message


def test_the_secret_of_a_webhook_is_encrypted_in_its_row(desk: Desk) -> None:
    made = desk.command(
        commands.create,
        url="https://crm.example/hook",
        event_types=["ticket_created"],
        description="CRM",
        include_bodies=False,
        private=True,
        actor=desk.person("admin"),
    )
    rotated = desk.command(commands.rotate_secret, made.id, actor=desk.person("admin"))

    [row] = desk.rows("SELECT secret, previous_secret FROM subscriptions")
    assert rotated.previous_signing_secret == made.signing_secret
    assert made.signing_secret.startswith("whsec_")
    assert rotated.signing_secret.startswith("whsec_")
    assert vault.is_sealed(row["secret"])
    assert vault.is_sealed(row["previous_secret"])


def test_rotation_encrypts_plain_text_of_an_earlier_release_and_values_of_old_keys(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: one secret as an earlier release stored it, and one of the old key
    made = [
        desk.command(
            commands.create,
            url=f"https://crm.example/{number}",
            event_types=["ticket_created"],
            description="CRM",
            include_bodies=False,
            private=True,
            actor=desk.person("admin"),
        )
        for number in range(2)
    ]
    secrets = [one.signing_secret for one in made]
    statement = "UPDATE subscriptions SET secret = :plain WHERE id = :id"
    desk.command(database.execute, statement, plain=secrets[0], id=made[0].id)
    use(monkeypatch, f"{NEW},{OLD}")
    assert (sum(one.other for one in resealing.counts()), sum(one.plain for one in resealing.counts())) == (1, 1)

    # when
    first, second = resealing.rotate(), resealing.rotate()

    # then: the old key is no longer needed
    assert (first, second) == (2, 0)
    use(monkeypatch, NEW)
    assert [desk.command(queries.get, one.id).signing_secret for one in made] == secrets
    assert run_verb("secrets", "status").returncode == 0


def test_the_command_prints_a_key_that_data_keys_accepts() -> None:
    printed = run_verb("secrets", "key", "--id", "k7").stdout.strip()

    assert settings.load({"DATA_KEYS": printed}).data_keys.startswith("k7:")
