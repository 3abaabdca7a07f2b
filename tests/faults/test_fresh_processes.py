"""Fresh processes whose first requests, or first tasks, come all at once: what a desk meets that slept.

`NESTOR_FRESH_STARTS` says how many gateways take first requests (default 10). Half as many take first
reads, and a third as many workers start.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage

import pytest

from models.kernel import limits as product_limits
from scripts.sandbox.client import SandboxProcess
from tests.faults import limits
from tests.faults.client import Client, Reply
from tests.faults.people import Requester, unique, update
from tests.faults.stack import WORKER, RealDesk
from tests.services.ports import accepts
from tests.services.postgres import PostgresServer
from tests.services.rabbitmq import RabbitServer
from tests.services.waiting import wait_until

starts = int(os.environ.get("NESTOR_FRESH_STARTS", "10"))
at_once = 8  # requests or tasks: as many as a process has threads
# Codecs are single files of Python's own library, loaded when a mail names its charset.
ALLOWED = ("encodings.",)


@pytest.fixture(scope="module")
def desk(
    shared_sandbox: SandboxProcess, durable_postgres: PostgresServer, rabbit_server: RabbitServer
) -> Iterator[RealDesk]:
    """A gateway, the webhook function and one worker, whose late imports are written to a file."""
    vhost = rabbit_server.create_vhost()
    url = durable_postgres.create_database()
    with RealDesk(
        shared_sandbox,
        database_url=url,
        broker_url=vhost,
        workers=0,
        schedulers=0,
        environment={"WEBHOOKS_PRIVATE": "1"},
    ) as made:
        command = ["tests.faults.watched_worker" if word == "queues.master" else word for word in WORKER]
        assert command != WORKER
        made.add("worker", command, NESTOR_LATE_IMPORTS=str(made.folder.path / "late_imports"))
        yield made
    rabbit_server.delete_vhost(vhost)


def all_at_once(send: Callable[[int], Reply]) -> list[Reply]:
    """The answers to `at_once` requests that leave together."""
    ready = threading.Barrier(at_once)

    def one(number: int) -> Reply:
        ready.wait(limits.settle_s)
        return send(number)

    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(one, range(at_once)))


def fresh_gateway(desk: RealDesk) -> None:
    """Start the gateway anew and wait until its socket takes connections; its worker process may still import."""
    gateway = desk.programs["gateway"]
    gateway.kill()
    # A killed worker process may hold the socket a moment longer than its master.
    wait_until(lambda: not accepts(desk.api_port), within_s=limits.stop_s, what="the old gateway's socket closing")
    gateway.log.write_bytes(b"")
    gateway.start()
    desk.answers_soon(desk.api_port)


def nothing_ended(desk: RealDesk, replies: list[Reply], status: int) -> None:
    assert [reply.status for reply in replies] == [status] * at_once, (
        replies,
        desk.log_of("gateway")[-3000:],
    )
    log = desk.log_of("gateway")
    assert "SIGSEGV" not in log, log[-3000:]
    assert "Worker exiting" not in log, log[-3000:]
    assert "unexpected" not in log, log[-3000:]


def test_a_fresh_gateway_answers_first_posts_that_come_together(desk: RealDesk) -> None:
    """650d475: 8 of 50 gateways ended by SIGSEGV, because two threads met a Struct that msgspec knew only half."""
    body = json.dumps(
        {
            "title": "The printer",
            "requester": {"email": "ada@example.test", "name": "Ada"},
            "description": "It burns.",
        }
    ).encode()

    for _ in range(starts):
        fresh_gateway(desk)
        replies = all_at_once(
            lambda number: desk.api().once(
                "POST",
                "/v1/tickets",
                body,
                headers={"Content-Type": "application/json", "Idempotency-Key": f"fresh-{unique()}"},
            )
        )

        nothing_ended(desk, replies, 201)


def test_a_fresh_gateway_answers_first_reads_of_the_life_cycle_that_come_together(desk: RealDesk) -> None:
    """The definition in force becomes Structs at its first use, in the requests' threads."""
    body = json.dumps(
        {
            "title": "The lamp",
            "requester": {"email": "ada@example.test", "name": "Ada"},
            "description": "It flickers.",
        }
    ).encode()
    made = desk.api().once("POST", "/v1/tickets", body, headers={"Content-Type": "application/json"})
    assert made.status == 201, made
    path = f"/v1/tickets/{made.json()['id']}"

    for _ in range(max(1, starts // 2)):
        fresh_gateway(desk)
        replies = all_at_once(
            lambda number: desk.api().once("GET", f"{path}/transitions" if number % 2 else f"{path}/why")
        )

        nothing_ended(desk, replies, 200)


def test_a_fresh_worker_runs_first_tasks_of_every_channel_that_come_together(desk: RealDesk) -> None:
    """650d475: first imports in the tasks' threads failed now and then with ImportError or _DeadlockError."""
    worker = desk.programs["worker"]

    for _ in range(max(1, starts // 3)):
        worker.kill()
        worker.log.write_bytes(b"")
        people = [Requester(desk, "telegram" if number % 2 else "email") for number in range(at_once)]
        for person in people:
            person.write()
        worker.start()
        desk.wait_until_drained()

        log = desk.log_of("worker")
        assert {person.event(person.event_ids[0])["status"] for person in people} == {"processed"}
        for sign in (
            "ImportError",
            "DeadlockError",
            "partially initialized",
            "actor_raised",
            "sender_raised",
        ):
            assert sign not in log, log[-3000:]
        tried = desk.truth.rows(
            "SELECT id, kind, attempts, last_error FROM tasks WHERE attempts > 1 AND last_error LIKE '%Error%'"
        )
        assert tried == []


def test_a_worker_imports_the_channels_at_their_first_tasks_and_only_under_the_lock(desk: RealDesk) -> None:
    """Two threads that import at the same moment can fail, so every import after the start holds the lock."""
    worker = desk.programs["worker"]
    if not worker.running():
        worker.start()
    subscription = {"url": f"{desk.sandbox.control_url}/hooks", "event_types": ["*"], "include_bodies": True}
    assert desk.api().post("/v1/webhooks", subscription).status == 201

    telegram, email = Requester(desk, "telegram"), Requester(desk, "email")
    for person in (telegram, email):
        person.write()
        answer_with_a_file(desk, person)
    send_a_picture(desk, telegram)
    send_a_large_mail(desk)
    ask_by_webhook_and_answer(desk)
    desk.wait_until_drained()
    worker.terminate()
    worker.wait()

    ran = {row["kind"] for row in desk.truth.rows("SELECT DISTINCT kind FROM tasks WHERE state = 'done'")}
    assert ran >= {"ingest_event", "advance_ticket", "send_delivery", "deliver_webhook", "fetch_attachment"}
    imported = json.loads((desk.folder.path / "late_imports").read_text())
    assert {"telegram", "queues.channels.email.parse", "queues.channels.webhook.send"} <= set(imported["late"])
    unexpected = [name for name in imported["bare"] if not name.startswith(ALLOWED)]
    assert unexpected == [], " ".join(unexpected)


def answer_with_a_file(desk: RealDesk, person: Requester) -> None:
    uploaded = desk.api().once(
        "POST", "/v1/attachments?filename=manual.txt", b"Turn it off.", headers={"Content-Type": "text/plain"}
    )
    assert uploaded.status == 201, uploaded
    text = f"**See** the file, {person.number}"
    reply = desk.api().post(
        f"/v1/tickets/{person.ticket()}/messages",
        {"kind": "reply", "body": text, "attachments": [uploaded.json()["id"]]},
    )
    assert reply.status == 201, reply


def send_a_picture(desk: RealDesk, person: Requester) -> None:
    file_id = desk.sandbox.store_file(b"\x89PNG\r\n\x1a\n" + bytes(100), filename="printer.png")
    value = json.loads(update(person.number, ""))
    del value["message"]["text"]
    value["message"]["document"] = {
        "file_id": file_id,
        "file_unique_id": f"u{file_id}"[:32],
        "file_name": "printer.png",
        "file_size": 108,
    }
    reply = desk.telegram().once("POST", "/webhooks/telegram/demo", json.dumps(value).encode())
    assert reply.status == 200, reply


def send_a_large_mail(desk: RealDesk) -> None:
    """One that the parser's child reads, with HTML."""
    message = EmailMessage()
    message["From"], message["To"] = f"Grace <large{unique()}@example.test>", "desk@example.test"
    message["Subject"], message["Message-ID"] = "A large one", f"<large{unique()}@example.test>"
    message.set_content("Plain.")
    message.add_alternative("<p>Rich, <b>bold</b>.</p>", subtype="html")
    message.add_attachment(
        bytes(product_limits.parse_here_bytes_max), maintype="application", subtype="pdf", filename="a.pdf"
    )
    reply = desk.mail().once("POST", "/webhooks/email/demo", message.as_bytes())
    assert reply.status == 200, reply


def ask_by_webhook_and_answer(desk: RealDesk) -> None:
    client = Client(
        desk.webhook_port, headers={"Authorization": "Bearer demo-secret", "Content-Type": "application/json"}
    )
    body = json.dumps(
        {"id": str(unique()), "from": {"id": f"ada{unique()}", "name": "Ada"}, "text": "It burns."}
    ).encode()
    taken = client.once("POST", "/webhooks/webhook/demo", body)
    assert taken.status == 200, taken
    event = f"/v1/inbox/{taken.json()['event_id']}"
    wait_until(
        lambda: desk.api().get(event)["ticket_id"] is not None,
        within_s=limits.drain_s,
        what="the webhook's event",
    )
    ticket_id = desk.api().get(event)["ticket_id"]
    assert desk.api().post(f"/v1/tickets/{ticket_id}/messages", {"kind": "reply", "body": "Water."}).status == 201
