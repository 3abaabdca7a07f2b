"""The desk's page: it names what needs a person, says what is away in one line, and stays quiet about the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pika
import pytest

from models import migrations
from models.channels import health
from models.kernel import clock
from models.kernel.settings import Settings
from models.kernel.storage import database
from models.ports import outbound
from models.ports.inbound import Ignored, Unparseable
from models.subscriptions import commands as subscriptions
from queues import topology
from scripts.diag import broker, ledger
from scripts.diag.part import Part
from tests.desk import Desk
from tests.other_machine import another_machine
from tests.scripts.verbs import run_verb
from tests.services.ports import free_port
from tests.services.rabbitmq import RabbitServer


def parts_of(desk: Desk) -> dict[str, Part]:
    return {part.name: part for part in ledger.parts(desk.settings)}


def problems_of(desk: Desk) -> list[str]:
    return [problem for part in parts_of(desk).values() for problem in part.problems]


def test_a_desk_that_did_its_work_needs_nobody(desk: Desk) -> None:
    desk.receive_telegram()
    desk.run_due()

    parts = parts_of(desk)

    assert problems_of(desk) == []
    assert list(parts) == [
        "database",
        "definitions",
        "tasks",
        "event log",
        "search index",
        "users",
        "accounts",
        "inbox",
        "deliveries",
        "webhooks",
        "secrets",
        "scanner",
        "timers",
        "clock",
    ]
    assert parts["database"].facts["schema"] == ledger.newest_schema()
    assert {row["name"] for row in parts["definitions"].facts["published"]} >= {"support", "telegram.demo"}
    assert parts["tasks"].lines == ["nothing is due"]


@pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("ahead_s", "side"), [(600.0, "600 s ahead of"), (-7200.0, "7200 s behind")])
def test_a_machine_whose_clock_is_not_the_databases_needs_a_person(desk: Desk, ahead_s: float, side: str) -> None:
    with another_machine(desk, ahead_s=ahead_s):
        part = parts_of(desk)["clock"]

    assert part.problems == [f"this machine's clock is {side} the database's; set it by NTP"]
    assert part.facts["machine_ahead_s"] == pytest.approx(ahead_s, abs=1)


def test_a_clock_that_was_set_back_needs_a_person(desk: Desk) -> None:
    desk.advance(seconds=7200)
    desk.receive_telegram()
    desk.advance(seconds=-7200)

    [problem] = parts_of(desk)["clock"].problems

    assert "s in the future: a clock was ahead, or was set back" in problem


def test_work_that_waits_is_shown_by_queue_kind_and_state(desk: Desk) -> None:
    desk.receive_telegram()

    (line, _) = parts_of(desk)["tasks"].lines

    assert line.split() == ["default", "ingest_event", "ready", "1,", "1", "due"]
    assert problems_of(desk) == []


def test_work_that_waits_for_too_long_needs_a_person(desk: Desk) -> None:
    desk.receive_telegram()
    desk.advance(hours=1)

    assert problems_of(desk) == [
        "the oldest due task waits for 60 min: no worker takes it, or one fails again and again"
    ]


def test_a_dead_letter_needs_a_person_and_shows_its_last_error(desk: Desk) -> None:
    desk.receive_telegram()
    desk.command(database.execute, "UPDATE tasks SET state = 'dead', last_error = 'the parser raised'")

    tasks = parts_of(desk)["tasks"]

    assert tasks.problems == ["1 dead letter: retry or discard at /v1/tasks?state=dead"]
    assert tasks.lines[-1].endswith("ingest_event after 0 attempts: the parser raised")


def test_an_event_that_could_not_be_read_needs_a_person_and_shows_why(desk: Desk) -> None:
    desk.receive(Unparseable("the header never ends"))
    desk.run_due()

    inbox = parts_of(desk)["inbox"]

    assert len(inbox.problems) == 1
    assert inbox.lines[0] == "0 stored and not read yet, 1 failed"
    assert inbox.lines[1].endswith(": the header never ends")


def test_ignored_events_are_counted_by_their_reasons(desk: Desk) -> None:
    for reason in ("a message of our own", "its sender is blocked", "a message of our own"):
        desk.receive(Ignored(reason))
    desk.run_due()

    inbox = parts_of(desk)["inbox"]

    assert inbox.problems == []
    assert inbox.facts["ignored"] == {"a message of our own": 2, "its sender is blocked": 1}
    assert "ignored in 7 days: 2: a message of our own" in inbox.lines


def test_a_failed_delivery_needs_a_person_and_hides_the_address(desk: Desk) -> None:
    desk.answers.append(outbound.permanent("the mailbox does not exist"))
    desk.create_ticket(description="Help.", email="ada@example.com")
    desk.run_due()

    deliveries = parts_of(desk)["deliveries"]

    assert deliveries.problems == ["1 failed delivery: retry or discard at /v1/deliveries?status=failed"]
    assert deliveries.lines[1].endswith(": the mailbox does not exist")
    assert "ada@" not in str(deliveries.lines) + str(deliveries.facts)


def test_a_provider_that_is_away_is_named_with_its_last_error_and_since_when(desk: Desk) -> None:
    desk.answers += [outbound.transient("no connection (ConnectError)"), outbound.transient("answered 502")]
    desk.create_ticket(description="Help.", email="ada@example.com")
    desk.run_due()
    at_first = parts_of(desk)["accounts"]
    began = at_first.facts["failing_sends"][0]["since"]
    desk.advance(minutes=3)
    desk.run_due()

    later = parts_of(desk)["accounts"]

    assert at_first.problems == []
    assert at_first.lines == [f"email/demo: no send was accepted since {began}: no connection (ConnectError)"]
    assert later.problems == [f"email/demo: no send was accepted since {began}: answered 502"]
    assert later.facts["failing_sends"] == [{"account": "email/demo", "error": "answered 502", "since": began}]


def test_an_account_in_trouble_is_named_with_the_beginning_of_the_trouble(desk: Desk) -> None:
    health.report_error("telegram", "demo", "the token was revoked")
    began = health.of("telegram", "demo").error_since
    assert began is not None

    part = parts_of(desk)["accounts"]

    assert part.problems == [f"telegram/demo: the token was revoked (since {clock.rfc3339(began)})"]


def test_a_timer_that_nobody_fires_needs_a_person(desk: Desk) -> None:
    assert desk.transition(desk.create_ticket(), "resolve") == ()
    desk.advance(days=8)

    assert problems_of(desk) == ["a timer should have fired 24 h ago: nothing sweeps (scheduler, worker or tick)"]


def test_a_desk_without_definitions_shows_the_command_to_run(desk: Desk) -> None:
    desk.command(database.execute, "DELETE FROM definitions")

    assert parts_of(desk)["definitions"].problems == [
        "no workflow is published: run `python -m scripts.bootstrap`",
        "no channel is published: run `python -m scripts.bootstrap`",
    ]


@pytest.mark.parametrize(("version", "said"), [(0, "run `python -m scripts.migrate`"), (9_999, "newer")])
def test_a_schema_of_another_release_is_the_only_thing_told(desk: Desk, version: int, said: str) -> None:
    desk.command(database.execute, "DELETE FROM schema_migrations")
    if version:
        desk.command(
            database.execute,
            "INSERT INTO schema_migrations (version, name, min_program, applied_at)"
            " VALUES (:version, 'of the future', :version, NOW())",
            version=version,
        )

    (part,) = ledger.parts(desk.settings)

    assert said in part.problems[0]


def test_the_command_ends_with_0_or_with_1_when_somebody_must_act(desk: Desk) -> None:
    quiet = run_verb("diag")
    desk.receive_telegram()
    desk.command(database.execute, "UPDATE tasks SET state = 'dead'")
    loud = run_verb("diag")
    as_json = run_verb("diag", "--json")

    assert (quiet.returncode, loud.returncode, as_json.returncode) == (0, 1, 1)
    assert quiet.stdout.endswith("\nNothing needs a person.\n")
    assert "embedded: the workers are threads" in quiet.stdout
    assert loud.stdout.endswith("\n1 thing for a person, marked with !\n")
    told = json.loads(as_json.stdout)
    assert told["needs_a_person"] == ["tasks: 1 dead letter: retry or discard at /v1/tasks?state=dead"]
    assert told["parts"]["tasks"]["dead_letters"][0]["kind"] == "ingest_event"


def test_a_database_and_a_broker_that_are_away_are_one_line_each_without_passwords(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://nestor:hush-db@127.0.0.1:{free_port()}/nestor")
    monkeypatch.setenv("BROKER_URL", f"amqp://nestor:hush-mq@127.0.0.1:{free_port()}/nestor")

    done = run_verb("diag")

    assert done.returncode == 1
    assert done.stderr == ""
    assert [line for line in done.stdout.splitlines() if line.startswith("  ")] == [
        line for line in done.stdout.splitlines() if " is away" in line
    ]
    assert done.stdout.count(" is away") == 2
    assert "hush" not in done.stdout


class Vhost:
    """A vhost of the test's own."""

    def __init__(self, server: RabbitServer) -> None:
        self.server, self.url = server, server.create_vhost()

    def settings(self, *, management: bool = False) -> Settings:
        return Settings(broker_url=self.url, broker_management_url=self.server.management_url if management else "")

    def publish(self, queue: str) -> None:
        with pika.BlockingConnection(pika.URLParameters(self.url)) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            channel.basic_publish("", queue, b"a wakeup")


@pytest.fixture
def vhost(rabbit_server: RabbitServer) -> Iterator[Vhost]:
    made = Vhost(rabbit_server)
    yield made
    rabbit_server.delete_vhost(made.url)


def test_queues_that_nobody_declared_need_a_person(vhost: Vhost) -> None:
    part = broker.part(vhost.settings())

    assert len(part.problems) == len(part.facts["queues"]) == 3 * len(topology.QUEUES)
    assert all(problem.endswith("run `python -m scripts.topology`") for problem in part.problems)


def test_the_broker_answers_how_many_wakeups_and_consumers_a_queue_has(vhost: Vhost) -> None:
    topology.declare(vhost.settings())
    vhost.publish("sends")

    part = broker.part(vhost.settings())

    assert part.problems == []
    assert part.facts["queues"]["sends"] == {"messages": 1, "consumers": 0}
    assert [line.split() for line in part.lines] == [
        ["default", "0", "ready,", "0", "consumers"],
        ["sends", "1", "ready,", "0", "consumers"],
    ]


def test_the_http_api_adds_what_is_unacknowledged(vhost: Vhost) -> None:
    topology.declare(vhost.settings())

    part = broker.part(vhost.settings(management=True))

    assert part.problems == []
    assert part.facts["queues"]["default"].keys() >= {"messages", "consumers", "ready", "unacknowledged"}


def test_an_http_api_that_is_away_is_one_problem(vhost: Vhost) -> None:
    topology.declare(vhost.settings())
    settings = Settings(broker_url=vhost.url, broker_management_url=f"http://127.0.0.1:{free_port()}")

    part = broker.part(settings)

    assert len(part.problems) == 1
    assert "cannot be read" in part.problems[0]


def test_the_schema_this_program_needs_is_the_newest_migration() -> None:
    assert ledger.newest_schema() == migrations.available()[-1].version


def test_looking_for_a_desk_that_is_not_there_makes_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = tmp_path / "nowhere" / "nestor.db"
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{missing}")

    looked = [run_verb("diag"), run_verb("explain", "1")]

    assert [done.returncode for done in looked] == [1, 1]
    assert all(f"there is no database at {missing}" in done.stderr for done in looked)
    assert not missing.parent.exists()


def test_a_webhook_that_was_switched_off_needs_a_person(desk: Desk) -> None:
    made = desk.command(
        subscriptions.create,
        url="https://hooks.example.com/x",
        event_types=["*"],
        description="",
        include_bodies=False,
        private=False,
        actor=desk.person("admin"),
    )
    assert problems_of(desk) == []

    desk.command(subscriptions.switch_off, made, "the receiver answered 410 Gone")

    [problem] = problems_of(desk)
    assert problem.startswith(f"webhook {made.id} was switched off: the receiver answered 410 Gone")
    assert "example.com" not in problem
