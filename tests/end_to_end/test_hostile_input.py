"""Input made to cost, from the webhook function to the ticket: bounded time and memory, and nothing is lost.

Everything is parsed by the child that parses large events (queues/parser/parsing.py), so that what it took can be
measured.
"""

from __future__ import annotations

import re
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from falcon import testing

from models.kernel import limits
from queues.parser import parsing
from tests.desk import Desk
from tests.end_to_end import hostile
from tests.functions.callers import DEMO_KEY, Caller, sqlite_only

pytestmark = sqlite_only  # reading makes no difference between the engines; raw bytes have their own tests on both

MIB = hostile.MIB
CPU_S_MAX = 6.0  # of the child, its start included; the costliest needs one second on one of two busy cores
CHILD_BYTES_MAX = 256 * MIB  # the largest attachment takes 105, an empty child 33
OURS_BYTES_MAX = 400 * MIB  # what a request and its reading add to a worker's memory, at the most: some copies of 30 MB
MAIL = {"Authorization": "Bearer demo-secret", "Content-Type": "message/rfc822"}
TELEGRAM = {"X-Telegram-Bot-Api-Secret-Token": "demo-secret", "Content-Type": "application/json"}
Post = Callable[..., testing.Result]


@pytest.fixture
def functions(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> tuple[Caller, Caller]:
    """Whoever posts to the webhook function, and an admin at the gateway."""
    from functions.gateway.app import create_app as create_gateway
    from functions.http import runtime
    from functions.webhooks.app import create_app as create_webhooks

    monkeypatch.setattr(runtime, "_state", runtime.State(adopted=True))
    return Caller(create_webhooks()), Caller(create_gateway(), DEMO_KEY)


@pytest.fixture
def post(functions: tuple[Caller, Caller]) -> Post:
    def send(raw: bytes) -> testing.Result:
        return functions[0].post("/webhooks/email/demo", raw=raw, headers=MAIL)

    return send


@pytest.fixture
def admin(functions: tuple[Caller, Caller]) -> Caller:
    return functions[1]


@pytest.fixture(autouse=True)
def child(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], psutil.Process]]:
    """The child of this test alone, which reads whatever comes."""
    monkeypatch.setattr(limits, "parse_here_bytes_max", 0)
    parsing.close()

    def found() -> psutil.Process:
        assert parsing._child.process is not None
        return psutil.Process(parsing._child.process.pid)

    yield found
    parsing.close()


def peak_bytes(process: psutil.Process) -> int:
    """The most memory that the process ever held; psutil knows only what it holds now."""
    told = Path(f"/proc/{process.pid}/status").read_text()
    match = re.search(r"^VmHWM:\s+(\d+) kB$", told, re.MULTILINE)
    assert match is not None
    return int(match[1]) * 1024


def forget_peak() -> int:
    """Let this process's peak begin at what it holds now (proc(5), clear_refs); returns that."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak_bytes(psutil.Process())


@pytest.mark.parametrize("name", hostile.MAILS)
def test_a_mail_made_to_cost_becomes_a_ticket_in_bounded_time_and_memory(
    desk: Desk, post: Post, admin: Caller, child: Callable[[], psutil.Process], name: str
) -> None:
    raw = hostile.MAILS[name]()
    before = forget_peak()

    taken = post(raw)
    desk.run_due()

    assert taken.status_code == 200
    assert peak_bytes(psutil.Process()) - before < OURS_BYTES_MAX
    event = admin.read(f"/v1/inbox/{taken.json['event_id']}")
    assert (event["status"], event["reason"]) == ("processed", None)  # so within limits.parse_s
    assert sum(child().cpu_times()[:2]) < CPU_S_MAX
    assert peak_bytes(child()) < CHILD_BYTES_MAX
    assert desk.ticket().title == "Printer"
    [body] = desk.bodies(desk.ticket())
    assert body.startswith("It burns.")
    assert len(body) <= limits.message_body_chars_max
    assert admin.get(f"/v1/inbox/{taken.json['event_id']}/raw").content == raw, "all of it is kept"


@pytest.mark.parametrize(
    ("name", "left_out"),
    [
        ("100,000 parts", "more than 200 parts"),
        ("depth of 1,000", "parts nested deeper than 20"),
        ("28 MB of text", "more than 2 MB of text"),
        ("200,000 nested divs", "more than 2 MB of text"),
    ],
)
def test_what_was_not_read_of_a_mail_is_told(desk: Desk, post: Post, name: str, left_out: str) -> None:
    post(hostile.MAILS[name]())
    desk.run_due()

    [message] = [one for one in desk.messages(desk.ticket()) if one["direction"] == "inbound"]
    assert left_out in message["details"]["left_out"]


@pytest.mark.parametrize("size", [20 * MIB, 25 * MIB])
def test_a_large_file_arrives_whole(desk: Desk, post: Post, size: int) -> None:
    encoding = "base64" if size == 20 * MIB else "binary"

    assert post(hostile.attachment(size, encoding=encoding)).status_code == 200
    desk.run_due()

    [message] = [one for one in desk.messages(desk.ticket()) if one["direction"] == "inbound"]
    [file] = message["attachments"]
    assert abs(file["size_bytes"] - size) < 57
    assert file["sha256"]


def test_of_a_mail_over_the_limit_people_see_the_beginning_and_its_sender_learns_it(
    desk: Desk, post: Post, admin: Caller
) -> None:
    """413 is for good: the mail server or provider bounces it."""
    raw = hostile.attachment(limits.webhook_body_bytes_max, encoding="binary")
    before = forget_peak()

    refused = [post(raw), post(raw)]
    desk.run_due()

    assert {one.status_code for one in refused} == {413}
    assert peak_bytes(psutil.Process()) - before < OURS_BYTES_MAX
    [event] = admin.read("/v1/inbox")["items"]
    assert (event["status"], "too" in event["reason"] or "at most" in event["reason"]) == ("failed", True)
    kept = admin.get(f"/v1/inbox/{event['id']}/raw").content
    assert kept == raw[: limits.oversized_kept_bytes]
    assert desk.tickets() == []


@pytest.mark.parametrize("name", ["100,000 parts", "depth of 20,000", "1 MB of addresses", "200,000 nested divs"])
def test_a_mail_made_to_cost_that_nobody_sent_is_a_failure_to_be_downloaded_and_replayed(
    desk: Desk, post: Post, admin: Caller, child: Callable[[], psutil.Process], name: str
) -> None:
    raw = hostile.from_nobody(hostile.MAILS[name]())

    event = f"/v1/inbox/{post(raw).json['event_id']}"
    desk.run_due()
    failed = admin.read(event)
    replayed = admin.post(f"{event}/replay")
    desk.run_due()

    assert (failed["status"], replayed.status_code) == ("failed", 202)
    assert "no sender" in failed["reason"]
    assert admin.read(event)["status"] == "failed"
    assert admin.get(f"{event}/raw").content == raw
    assert sum(child().cpu_times()[:2]) < CPU_S_MAX
    assert desk.tickets() == []
    assert desk.tasks("ready", "leased", "dead") == []


def test_a_mail_that_takes_too_long_is_a_failure_until_it_is_replayed(
    desk: Desk, post: Post, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = hostile.MAILS["200,000 nested divs"]()
    with monkeypatch.context() as patch:
        patch.setattr(limits, "parse_s", 0.05)  # the child's start takes longer than that
        event = f"/v1/inbox/{post(raw).json['event_id']}"
        desk.run_due()
    failed = admin.read(event)

    admin.made(f"{event}/replay")
    desk.run_due()

    assert (failed["status"], "longer than an event may take" in failed["reason"]) == ("failed", True)
    assert admin.get(f"{event}/raw").content == raw
    assert admin.read(event)["status"] == "processed"
    assert len(desk.bodies(desk.ticket())) == 1


def test_a_child_that_ran_out_of_memory_is_replaced_and_its_mail_is_read(
    desk: Desk, post: Post, admin: Caller, child: Callable[[], psutil.Process]
) -> None:
    post(hostile.text("Hello. ", 1_000))
    desk.run_due()
    starved = child()
    bound = starved.memory_info().vms + 16 * MIB
    starved.rlimit(resource.RLIMIT_AS, (bound, bound))
    large = hostile.attachment(20 * MIB).replace(b"<1@", b"<2@", 1).replace(b"eve@", b"mallory@", 1)

    events = [
        post(raw).json["event_id"] for raw in (large, hostile.text("Another. ", 1_000).replace(b"<1@", b"<3@", 1))
    ]
    desk.run_due()

    assert not starved.is_running()
    assert child().pid != starved.pid
    assert [admin.read(f"/v1/inbox/{event}")["status"] for event in events] == ["processed", "processed"]


@pytest.mark.parametrize("name", hostile.UPDATES)
def test_an_update_made_to_cost_becomes_a_ticket_in_bounded_time_and_memory(
    desk: Desk, functions: tuple[Caller, Caller], child: Callable[[], psutil.Process], name: str
) -> None:
    raw = hostile.UPDATES[name]()

    taken = functions[0].post("/webhooks/telegram/demo", raw=raw, headers=TELEGRAM)
    desk.run_due()

    assert taken.status_code == 200
    assert sum(child().cpu_times()[:2]) < CPU_S_MAX
    assert peak_bytes(child()) < CHILD_BYTES_MAX
    [body] = desk.bodies(desk.ticket())
    assert body.startswith("It burns.")
    assert len(body) <= limits.message_body_chars_max
