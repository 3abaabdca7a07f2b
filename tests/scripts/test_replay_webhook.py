"""`python -m scripts.channels replay` for services described in YAML: signed anew, so that a
recorded event is taken.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest
import yaml

from models.definitions import store
from models.kernel import settings
from models.kernel.errors import ConfigurationError
from models.publishing import publishing
from models.publishing.catalogue import Found
from scripts.channels import replaying
from tests.desk import Desk
from tests.scripts.test_replay import RAW
from tests.scripts.verbs import run_verb

FIXTURES = Path("queues/channels/webhook/fixtures")
SERVICES = {
    "lookout": ("alerts", "two_alerts"),
    "chatterbox": ("chat", "said"),
    "formwright": ("forms", "submission"),
}


@pytest.fixture
def published(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOOKOUT_SIGNING_KEY", "CHATTERBOX_KEY", "FORMWRIGHT_LOGIN"):
        monkeypatch.setenv(f"NESTOR_SECRET_{name}", f"secret:{name}")
    found = []
    for folder, _ in SERVICES.values():
        body = yaml.safe_load((FIXTURES / folder / "account.yaml").read_text(encoding="utf-8"))
        body["workflow"] = "support"
        for rule in body["events"]:
            rule.pop("attachments", None)
        found.append(Found("channel", f"webhook.{body['account']}", body, "", Path("x")))
    publishing.apply(found, by="tests")
    store.forget()


def wish(url: str, name: str, fixture: str, **more: Any) -> argparse.Namespace:
    told: dict[str, Any] = {
        "name": name,
        "fixture": fixture,
        "url": url,
        "gateway_url": None,
        "secret": None,
        "api_key": "demo-key",
        "new_key": False,
        "wait": 0.0,
    }
    return argparse.Namespace(**told | more)


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("account", sorted(SERVICES))
def test_a_recorded_event_of_each_service_is_taken_repeated_and_made_new(
    desk: Desk,
    served: str,
    account: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name, fixture = f"webhook.{account}", SERVICES[account][1]

    replaying.replay(wish(served, name, fixture))
    once = capsys.readouterr().out
    replaying.replay(wish(served, name, fixture))
    again = capsys.readouterr().out
    replaying.replay(wish(served, name, fixture, new_key=True))
    renewed = capsys.readouterr().out
    desk.run_due()

    assert "taken as event" in once
    assert "repeat" not in once
    assert "(a repeat: the desk had it already)" in again
    assert "repeat" not in renewed
    statuses = {row["status"] for row in desk.rows("SELECT status FROM inbox")}
    assert statuses <= {"processed", "ignored"}


@pytest.mark.usefixtures("published")
def test_a_challenge_is_shown_as_the_answer(served: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert replaying.replay(wish(served, "webhook.chatterbox", "ping")) == 0

    assert "3eZbrw1aBm2rZgRNFdxV" in capsys.readouterr().out


def test_the_demo_account_and_the_other_channels_need_no_secret(
    desk: Desk,
    served: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for channel, raw in RAW.items():
        (tmp_path / channel).write_bytes(raw)
        replaying.replay(wish(served, f"{channel}.demo", str(tmp_path / channel)))
    replaying.replay(wish(served, "webhook.demo", "question"))
    desk.run_due()

    assert capsys.readouterr().out.count("taken as event") == 3
    assert {row["status"] for row in desk.rows("SELECT status FROM inbox")} == {"processed"}


def test_an_account_that_is_nowhere_is_a_sentence(served: str) -> None:
    with pytest.raises(ConfigurationError, match=r"no account webhook\.nowhere"):
        replaying.replay(wish(served, "webhook.nowhere", "question"))
    with pytest.raises(ConfigurationError, match=r"expected CHANNEL\.ACCOUNT"):
        replaying.replay(wish(served, "webhook", "question"))


def test_the_verb_is_there() -> None:
    found = run_verb("channels", "replay", "--help")

    assert found.returncode == 0
    assert "--new-key" in found.stdout


def test_setup_shows_the_values_to_enter_and_test_the_missing_ones(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from queues.channels.webhook import reach
    from tests.queues.channels.webhook.conftest import account_of

    account = account_of("alerts")
    config = settings.current()

    missing = reach.test(account, config)
    for name in ("LOOKOUT_SIGNING_KEY", "LOOKOUT_API_TOKEN"):
        monkeypatch.setenv(f"NESTOR_SECRET_{name}", "x")
    private = reach.test(account_of("alerts", reply={"url": "https://127.0.0.1/", "body": "x"}), config)
    told = reach.setup(account, config, public_url="https://desk.example.com")

    assert [finding.ok for finding in missing] == [False, False]
    assert "private network" in private[-1].text
    assert "https://desk.example.com/webhooks/webhook/lookout" in told[0].text
