"""`channels authorize` and `channels check --credentials` with accounts that sign in by OAuth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.channels import accounts
from models.definitions import store
from models.kernel.storage import database
from queues.channels.email.oauth import tokens
from scripts.channels import checking
from tests.desk import Desk
from tests.queues.channels.email.oauth import authority
from tests.queues.channels.email.oauth.authority import Authority
from tests.scripts.verbs import run_verb

pytestmark = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    monkeypatch.setenv("NESTOR_SECRET_CLIENT", "client-secret")
    monkeypatch.setenv("NESTOR_SECRET_REFRESH", "first-refresh-token")
    tokens.forget()
    with authority.running() as made:
        yield made
    tokens.forget()


def account_file(folder: Path, server: Authority, *, refresh_token: str = "") -> Path:
    path = folder / "email.support.yaml"
    path.write_text(
        "channel: email\naccount: support\naddress: desk@example.test\nprovider: imap\noauth:\n"
        "  service: microsoft\n  client_id: an-id\n  client_secret: {secret: client}\n"
        f"  token_url: {server.url}/token\n  device_url: {server.url}/devicecode\n{refresh_token}"
    )
    return path


def test_the_check_of_credentials_gets_an_access_token(desk: Desk, server: Authority, tmp_path: Path) -> None:
    path = account_file(tmp_path, server, refresh_token="  refresh_token: {secret: refresh}\n")

    good = run_verb("channels", "check", "--credentials", str(path))
    server.refresh.clear()
    desk.advance(hours=2)
    with database.transaction():
        database.execute("DELETE FROM channel_tokens")
    bad = run_verb("channels", "check", "--credentials", str(path))

    assert (good.returncode, good.stderr) == (0, "")
    assert bad.returncode == 1
    assert "email.support.yaml: oauth: the authorization server answered invalid_grant" in bad.stderr
    assert "first-refresh-token" not in bad.stderr


def test_an_authorized_account_signs_in_by_the_stored_token(desk: Desk, server: Authority, tmp_path: Path) -> None:
    path = account_file(tmp_path, server)
    checked = run_verb("channels", "check", "--credentials", str(path))
    server.interval = 1
    with database.transaction():
        store.publish("channel", "email.support", checking.read(path)[0].config, source="", by="test")
    authorized = run_verb("channels", "authorize", "email.support")
    with database.connection():
        account = accounts.find("email", "support")
    token = tokens.access_token(account, desk.settings)

    assert "the account has no refresh token yet" in checked.stderr
    assert authorized.returncode == 0, authorized.stderr
    assert "enter the code ABCD-EFGH" in authorized.stdout
    assert "is stored, encrypted, in the desk's database" in authorized.stdout
    assert "refresh-" not in authorized.stdout
    assert server.is_valid(token)


def test_without_a_database_a_replaced_refresh_token_is_reported_as_lost(
    desk: Desk, server: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = account_file(tmp_path, server, refresh_token="  refresh_token: {secret: refresh}\n")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/nothing.db")

    kept = run_verb("channels", "check", "--credentials", str(path))
    server.rotates = True
    replaced = run_verb("channels", "check", "--credentials", str(path))

    assert (kept.returncode, kept.stderr) == (0, "")
    assert replaced.returncode == 1
    assert "gave another refresh token, which is lost without the desk's database" in replaced.stderr


def test_without_a_database_an_authorized_token_is_printed_with_its_place(
    desk: Desk, server: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.interval = 1
    folder = tmp_path / "channels"
    folder.mkdir()
    account_file(folder, server, refresh_token="  refresh_token: {secret: refresh}\n")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/nothing.db")
    monkeypatch.setenv("DEFINITIONS_DIR", str(tmp_path))

    result = run_verb("channels", "authorize", "email.support")

    [token] = server.refresh - {"first-refresh-token"}
    assert result.returncode == 0, result.stderr
    assert "Configure this refresh token as NESTOR_SECRET_REFRESH, or a file refresh in SECRETS_DIR:" in result.stdout
    assert result.stdout.rstrip().endswith(token)
    assert "is stored" not in result.stdout


def test_an_account_without_oauth_has_nothing_to_authorize(desk: Desk) -> None:
    result = run_verb("channels", "authorize", "email.demo")

    assert result.returncode == 1
    assert result.stderr == "nestor: email.demo has no key `oauth`, so there is nothing to authorize\n"
