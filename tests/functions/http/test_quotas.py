"""Quotas of callers: per class of cost, in memory, told in header fields, refused with 429."""

from __future__ import annotations

import re
from typing import Any

import pytest
from falcon import testing

from functions.http import quotas, web
from functions.http.operations import Answer, Call, Cost, Operations
from functions.http.quotas import QuotaExceeded, Quotas, of_setting
from models.kernel import limits, settings
from models.kernel.errors import ConfigurationError
from models.kernel.settings import Settings
from tests.desk import Desk
from tests.functions.callers import sqlite_only


class Clock:
    """A monotonic clock that stands still."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(quotas, "time", made)
    return made


def taken(kept: Quotas, caller: str, cost: Cost = Cost.read) -> int:
    """The number of requests that a caller gets through now."""
    count = 0
    while True:
        try:
            kept.take(cost, caller)
        except QuotaExceeded:
            return count
        count += 1
        assert count < 10_000


def test_a_burst_then_the_rate_and_each_caller_alone(clock: Clock) -> None:
    kept = of_setting("read=10/20")

    assert taken(kept, "user:a") == 20
    assert taken(kept, "user:b") == 20
    clock.now_s += 0.5
    assert taken(kept, "user:a") == 5
    clock.now_s += 3_600
    assert taken(kept, "user:a") == 20


def test_a_refusal_costs_nothing_and_says_when_to_come_again(clock: Clock) -> None:
    kept = of_setting("write=2/4")
    taken(kept, "key:a", Cost.write)

    with pytest.raises(QuotaExceeded) as refused:
        kept.take(Cost.write, "key:a")

    assert refused.value.retry_after_s == pytest.approx(0.5)
    clock.now_s += refused.value.retry_after_s
    kept.take(Cost.write, "key:a")


def test_the_fields_tell_the_policy_and_the_rest(clock: Clock) -> None:
    kept = of_setting("heavy=2/6")

    assert kept.take(Cost.heavy, "a") == {"RateLimit-Policy": '"heavy";q=6;w=3', "RateLimit": '"heavy";r=5;t=1'}
    last = [kept.take(Cost.heavy, "a") for _ in range(5)][-1]
    assert last["RateLimit"] == '"heavy";r=0;t=3'


def test_a_class_without_a_limit_and_the_number_of_remembered_callers(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert of_setting("read=0").take(Cost.read, "a") == {}
    monkeypatch.setattr(limits, "quota_callers_max", 3)
    kept = of_setting("read=1/1")
    for caller in "abcde":
        taken(kept, caller)

    assert len(kept._full_at) == 3
    assert taken(kept, "a") == 1, "who has not asked longest is forgotten"


@pytest.mark.parametrize("wrong", ["read", "read=1", "read=1/0", "read=0/5", "reads=1/1", "read=-1/1", "free=1/1"])
def test_a_wrong_setting_says_what_is_expected(wrong: str) -> None:
    with pytest.raises(ConfigurationError, match="REQUEST_LIMITS: expected class=requests"):
        of_setting(wrong)


def test_the_documented_defaults_are_those_in_force() -> None:
    documented = settings.documented_variables()["REQUEST_LIMITS"]

    [example] = re.findall(r"`(read=[^`]+)`", documented)
    assert of_setting(example)._quotas == of_setting("")._quotas
    assert set(of_setting("")._quotas) == {cost for cost in Cost if cost is not Cost.free}


def client(operations: Operations, request_limits: str) -> testing.TestClient:
    config = Settings(
        secret_key="a key of forty-two characters for the test",
        database_url="sqlite:///:memory:",
        request_limits=request_limits,
    )
    return testing.TestClient(web.create_app("gateway", operations, configured=config))


def test_a_public_operation_counts_for_the_network_and_probes_for_nobody() -> None:
    # given
    operations = Operations()

    @operations.add("GET", "/v1/open", summary="Get", answers={200: str}, public=True, unlocked=True)
    def get(call: Call) -> Answer:
        return Answer(raw=b"", content_type="text/plain")

    asked = client(operations, "public=0.01/2")

    # when
    answers = [asked.simulate_get("/v1/open", remote_addr=f"192.0.2.{host}") for host in range(3)]
    elsewhere = asked.simulate_get("/v1/open", remote_addr="198.51.100.1")
    probes = [asked.simulate_get("/healthz", remote_addr="192.0.2.1") for _ in range(20)]

    # then
    assert [answer.status_code for answer in (*answers, elsewhere)] == [200, 200, 429, 200]
    assert answers[0].headers["RateLimit-Policy"] == '"public";q=2;w=200'
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 100
    assert answers[2].headers["RateLimit"] == f'"public";r=0;t={answers[2].headers["Retry-After"]}'
    assert answers[2].json["code"] == "quota_exceeded"
    assert {probe.status_code for probe in probes} == {200}


@sqlite_only
def test_a_user_has_a_quota_for_reads_and_one_for_writes_and_refused_credentials_count_for_the_network(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    from functions.gateway.app import operations

    made = testing.TestClient(
        web.create_app(
            "gateway",
            operations(),
            configured=Settings(
                secret_key=settings.current().secret_key,
                database_url=settings.current().database_url,
                request_limits="read=0.01/2,write=0.01/1,public=0.01/3",
            ),
        )
    )
    key = {"Authorization": "Bearer demo-key"}

    def ask(method: str, headers: dict[str, str], **more: Any) -> int:
        return made.simulate_request(method, "/v1/tickets", headers=headers, **more).status_code

    # when
    read = [ask("GET", key) for _ in range(3)]
    written = [ask("POST", key, json={"title": "One"}) for _ in range(2)]
    unknown = [ask("GET", {"Authorization": "Bearer wrong"}) for _ in range(4)]

    # then
    assert read == [200, 200, 429]
    assert written == [201, 429]
    assert unknown == [401, 401, 401, 429]
    assert len(desk.rows("SELECT id FROM tickets")) == 1
