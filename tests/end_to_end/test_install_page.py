"""INSTALL.md runs as a whole on a new Debian machine with PostgreSQL, RabbitMQ, nginx and systemd."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from models.kernel.open_json import JsonObject
from tests.end_to_end.install_page import read_steps
from tests.services import debian_machine
from tests.services.debian_machine import DebianMachine
from tests.services.waiting import wait_until

pytestmark = pytest.mark.on_request

ROOT = Path(__file__).parents[2]
_REPOSITORY = "/mnt/nestor.git"
_PASSWORD = "a-quiet-otter-counts-lamps"
_work_s = 60.0
_certificate = """
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=desk.example.org \
  -addext subjectAltName=DNS:desk.example.org \
  -keyout /etc/ssl/nestor.key -out /etc/ssl/nestor.pem
cp /etc/ssl/nestor.pem /usr/local/share/ca-certificates/desk.crt
update-ca-certificates
echo 127.0.0.1 desk.example.org >> /etc/hosts
"""
_mail_server = """
systemd-run --quiet --unit=mail python3 -u -W ignore -m smtpd --nosetuid --class DebuggingServer 127.0.0.1:25
"""
_mail_with_a_file = r"""
nestor sh -c 'curl -fsS "$PUBLIC_URL/webhooks/email/support" \
  -H "Authorization: Bearer $(cat $SECRETS_DIR/email_support_bearer)" \
  -H "Content-Type: message/rfc822" --data-binary @-' <<MAIL
From: Grace <grace@example.org>
To: support@desk.example.org
Subject: A file
Message-ID: <file@example.org>
MIME-Version: 1.0
Content-Type: text/plain
Content-Disposition: attachment; filename="bill.txt"

Three lamps.
MAIL
"""


@dataclass
class Installed:
    """The machine after every step of the page, and the output of each step by its title."""

    machine: DebianMachine
    output: dict[str, str] = field(default_factory=dict)

    def block(self, title: str, block: str) -> None:
        self.output[title] = self.output.get(title, "") + self.machine.run(f". /root/variables\n{block}")

    def shows(self, title: str, block: str, words: str) -> bool:
        """Run a block again. Return True if it succeeds and prints the words."""
        try:
            found = self.machine.run(block)
        except AssertionError:
            return False
        self.output[title] += found if words in found else ""
        return words in found


@pytest.fixture(scope="module")
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    if not debian_machine.find_programs():
        pytest.fail(debian_machine.MISSING, pytrace=False)
    clone = tmp_path_factory.mktemp("repository") / "nestor.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", str(ROOT), str(clone)], check=True)
    steps = read_steps()
    with DebianMachine(shared={clone: _REPOSITORY}) as machine:
        desk = Installed(machine)
        values = steps[0].blocks[0].replace("https://git.example.org/nestor.git", _REPOSITORY)
        prepared = f"{values}\ndeclare -p desk repository database_password broker_password > /root/variables\n"
        desk.output[steps[1].title] = machine.install(prepared + "\n".join(steps[1].blocks))
        machine.install(_certificate)
        machine.boot()
        machine.run(_mail_server)
        for step in steps[2:]:
            for block in step.blocks:
                _run(desk, step.title, block)
            if step.title == "Check":
                desk.block("a file", _mail_with_a_file)
                wait_until(lambda: _files(machine) != [], within_s=_work_s, what="The file in the desk's storage")
            if step.title == "Backup":
                machine.run("rm -r /srv/nestor/blobs; mv /var/log/nginx/access.log /root/access.log")
        yield desk


def _run(desk: Installed, title: str, block: str) -> None:
    """Run a block as the page says: the password is given, and the acknowledgement is sent a moment later."""
    if "scripts.explain" in block:
        wait_until(lambda: desk.shows(title, block, ": sent,"), within_s=_work_s, what="The acknowledgement")
        return
    desk.block(title, f"export NEW_PASSWORD={_PASSWORD}\n{block}" if "scripts.users" in block else block)


def _files(machine: DebianMachine) -> list[str]:
    return machine.run("find /srv/nestor/blobs -type f -printf '%f\\n'").split()


def _state(machine: DebianMachine, process: str) -> dict[str, str]:
    shown = machine.run(f"systemctl show --property=ActiveState,NRestarts nestor@{process}")
    return dict(line.split("=", 1) for line in shown.splitlines())


def test_the_check_of_credentials_is_green_without_the_accounts_of_the_demo(installed: Installed) -> None:
    checked = installed.output["Schema, check, first admin"]

    assert "email.support" in checked
    assert "demo" not in checked


def test_systemd_has_nothing_to_say_about_the_units(installed: Installed) -> None:
    verified = installed.machine.run("systemd-analyze verify nestor@gateway.service nestor@sends.service")

    assert verified == ""


def test_every_process_runs_and_is_started_again_when_it_was_killed(installed: Installed) -> None:
    states = {name: _state(installed.machine, name) for name in ("gateway", "webhooks", "worker", "sends")}
    assert states == {key: {"ActiveState": "active", "NRestarts": "0"} for key in states}

    installed.machine.run("systemctl kill --signal=KILL --kill-whom=main nestor@webhooks")

    wait_until(
        lambda: _state(installed.machine, "webhooks") == {"ActiveState": "active", "NRestarts": "1"},
        within_s=_work_s,
        what="The restart of the webhooks process",
    )


def test_the_check_shows_a_healthy_desk_and_the_first_ticket(installed: Installed) -> None:
    checked = installed.output["Check"]

    assert '"status":"ok"' in checked
    assert "Nothing needs a person." in checked
    assert "The first ticket" in checked


def test_the_acknowledgement_reaches_the_mail_server(installed: Installed) -> None:
    wait_until(
        lambda: "ada@example.org" in installed.machine.run("journalctl --unit=mail --output=cat"),
        within_s=_work_s,
        what="The acknowledgement",
    )


def test_the_admin_signs_in_through_the_proxy_and_reads_what_was_restored(installed: Installed) -> None:
    sign_in = json.dumps({"email": "you@example.org", "password": _PASSWORD})
    tokens = installed.machine.run(
        f"curl -fsS https://desk.example.org/v1/auth/tokens -H 'Content-Type: application/json' -d '{sign_in}'"
    )
    header = f"Authorization: Bearer {json.loads(tokens)['access_token']}"

    def read(path: str) -> JsonObject:
        shown = installed.machine.run(f"curl -fsS -H '{header}' https://desk.example.org{path}")
        found: JsonObject = json.loads(shown)
        return found

    [attachment] = read("/v1/tickets/2/messages")["items"][0]["attachments"]
    link = read(f"/v1/attachments/{attachment['id']}")["url"]

    assert read("/v1/tickets/1")["title"] == "The first ticket"
    assert installed.machine.run(f"curl -fsS '{link}'").strip() == "Three lamps."


def test_the_proxy_redirects_to_https_and_hands_on_the_callers_address(installed: Installed) -> None:
    redirected = installed.machine.run(
        "curl -sS -o /dev/null -w '%{http_code} %{redirect_url}' http://desk.example.org/x"
    )
    log = installed.machine.run("journalctl --unit=nestor@gateway --output=cat")

    assert redirected == "301 https://desk.example.org/x"
    assert "start_refused" not in log


def test_the_processes_can_read_their_keys_and_others_cannot(installed: Installed) -> None:
    files = "/etc/nestor/env /etc/nestor/secrets/email_support_bearer"

    modes = installed.machine.run(f"stat --format '%a %U %G' {files}")

    assert modes.splitlines() == ["640 root nestor", "640 root nestor"]
