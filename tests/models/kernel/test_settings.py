"""Configuration: read in one place; what is wrong is named."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from models.kernel import settings
from models.kernel.errors import ConfigurationError
from models.kernel.settings import Settings, load

KEY = "a key of forty-two characters for the test"
OTHER = "another key of forty-two characters, too"


def test_an_empty_environment_is_the_embedded_desk() -> None:
    found = load({})

    assert found.database_url == "sqlite:///var/nestor.db"
    assert found.embedded
    assert found.port == 8080


def test_values_have_the_type_of_their_default() -> None:
    found = load({"PORT": "9", "TASK_LEASE_S": "1.5", "LOG_LEVEL": "debug", "DRAIN_SECONDS": ""})

    assert (found.port, found.task_lease_s, found.log_level, found.drain_seconds) == (9, 1.5, "debug", 25)


def test_a_file_gives_the_value_and_the_variable_itself_goes_before(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text(f"{KEY}\n")

    assert load({"SECRET_KEY_FILE": str(secret)}).secret_key == KEY
    assert load({"SECRET_KEY_FILE": str(secret), "SECRET_KEY": OTHER}).secret_key == OTHER


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("PORT", "http", "PORT: expected a whole number, found 'http'"),
        ("PORT", "80.5", "PORT: expected a whole number, found '80.5'"),
        ("TASK_LEASE_S", "soon", "TASK_LEASE_S: expected a number, found 'soon'"),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL: expected DEBUG, INFO, WARNING or ERROR, found 'LOUD'"),
        ("DATABASE_URL", "mysql://x", "DATABASE_URL: expected sqlite:///path or postgresql://"),
        ("BROKER_URL", "redis://x", "BROKER_URL: expected embedded:// or amqp://"),
        ("BLOB_URL", "ftp://x", "BLOB_URL: expected file:folder or s3://"),
        ("FILES_URL", "files.example.org", "FILES_URL: expected http(s)://host"),
        ("SECRET_KEY", "short", "SECRET_KEY: expected at least 32 characters"),
        ("DATABASE_URL_FILE", "/nowhere", "DATABASE_URL_FILE: cannot read /nowhere: No such file"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_variable(variable: str, value: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load({variable: value})

    assert told in refused.value.message


def test_a_secret_is_never_in_the_message_of_a_refusal() -> None:
    for variable, value in (("SECRET_KEY", "hunter2"), ("DATABASE_URL", "mysql://nestor:hunter2@db/x")):
        with pytest.raises(ConfigurationError) as refused:
            load({variable: value})
        assert "hunter2" not in refused.value.message


def test_credentials_come_from_the_environment_then_a_file_of_it_then_the_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "bot_token").write_text("from the folder\n")
    (tmp_path / "other").write_text("from a file\n")
    found = Settings(secrets_dir=str(tmp_path))

    assert found.secret("bot_token") == "from the folder"
    monkeypatch.setenv("NESTOR_SECRET_BOT_TOKEN_FILE", str(tmp_path / "other"))
    assert found.secret("bot_token") == "from a file"
    monkeypatch.setenv("NESTOR_SECRET_BOT_TOKEN", "from the environment")
    assert found.secret("bot_token") == "from the environment"


def test_a_missing_credential_says_where_it_was_looked_for() -> None:
    with pytest.raises(ConfigurationError, match="set NESTOR_SECRET_NO_SUCH or put a file no_such into"):
        Settings().secret("no_such")


@pytest.mark.parametrize("name", ["../etc/passwd", "A", "", "a" * 65, "a/b"])
def test_a_credentials_name_cannot_leave_its_folder(name: str) -> None:
    with pytest.raises(ConfigurationError, match="credential name"):
        Settings(secrets_dir="/").secret(name)


def test_a_missing_key_shows_the_command_that_makes_one() -> None:
    with pytest.raises(ConfigurationError, match="SECRET_KEY is not set; make one with"):
        Settings().signing_key()


def test_settings_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().port = 1  # type: ignore[misc]


def test_every_setting_is_documented_in_a_sentence() -> None:
    for variable, doc in settings.documented_variables().items():
        assert len(doc) > 10, variable


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("1", True), ("False", False), ("off", False), ("", False)]
)
def test_a_switch_is_read_as_people_write_it(text: str, value: bool) -> None:
    assert settings.load({"WEBHOOKS_PRIVATE": text}).webhooks_private is value


def test_a_switch_that_is_neither_on_nor_off_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="WEBHOOKS_PRIVATE: expected true or false, found 'maybe'"):
        settings.load({"WEBHOOKS_PRIVATE": "maybe"})
