"""TLS to PostgreSQL and RabbitMQ: honoured where the URL asks for it, reported where a connection goes without."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import peewee
import pika
import pytest
import trustme

from functions.http import health
from models.kernel.settings import Settings
from models.kernel.storage import transport
from models.kernel.storage.postgres import PooledPostgres, connect_options
from queues import broker
from scripts.diag import transport as diag
from tests.functions.conftest import LogLines, log_lines  # noqa: F401 -- a fixture
from tests.services.postgres import PostgresServer
from tests.services.rabbitmq import RabbitServer

SAFE = "postgresql://nestor:hush@db.example.test/nestor?sslmode=verify-full"
MQ = "amqp://nestor:hush@mq.example.test/nestor"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("postgresql://n:hush@db.example.test/n", True),
        ("postgres://n:hush@10.0.0.5/n?sslmode=prefer", True),
        ("postgresql://n:hush@db.example.test/n?sslmode=allow", True),
        ("postgresql://n:hush@127.0.0.1,db2.example.test/n", True),
        ("postgresql://n:hush@localhost/n?hostaddr=10.0.0.5", True),
        ("postgresql://n:hush@db.example.test/n?sslmode=disable", False),
        ("postgresql://n:hush@db.example.test/n?sslmode=require", False),
        ("postgresql://n:hush@db.example.test/n?sslmode=verify-ca", False),
        (SAFE, False),
        ("postgresql://n:hush@127.0.0.1/n", False),
        ("postgresql://n:hush@[::1]/n", False),
        ("postgresql:///n?host=/run/postgresql", False),
        ("sqlite:///var/nestor.db", False),
    ],
)
def test_a_database_elsewhere_without_tls_is_a_problem_unless_the_url_says_so(
    url: str, problem: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PGSSLMODE", raising=False)
    monkeypatch.delenv("PGHOST", raising=False)

    found = transport.problems(Settings(database_url=url))

    assert bool(found) is problem
    assert "hush" not in "".join(found)


@pytest.mark.parametrize(
    ("url", "without", "problem"),
    [
        (MQ, False, True),
        (MQ, True, False),
        ("amqps://n:hush@mq.example.test/n", False, False),
        ("amqp://n:hush@mq.example.test/n?ssl_options=" + quote("{'cafile': '/ca.pem'}"), False, False),
        ("amqp://n:hush@127.0.0.1/n", False, False),
        ("amqp://n:hush@localhost:5672/n", False, False),
        ("amqps://n:hush@mq1.example.test/n;amqp://n:hush@mq2.example.test/n", False, True),
        ("embedded://", False, False),
    ],
)
def test_a_broker_elsewhere_without_tls_is_a_problem_unless_a_setting_says_so(
    url: str, without: bool, problem: bool
) -> None:
    found = transport.problems(Settings(broker_url=url, broker_without_tls=without))

    assert bool(found) is problem
    assert "hush" not in "".join(found)


def test_the_brokers_http_api_elsewhere_is_judged_as_well() -> None:
    there = Settings(broker_management_url="http://n:hush@mq.example.test:15672")
    safe = Settings(broker_management_url="https://n:hush@mq.example.test:15671")

    assert transport.problems(there)[0].startswith("broker management: the password goes in clear text")
    assert transport.problems(safe) == []


def test_logs_diag_and_deep_health_say_that_tls_is_off(log_lines: LogLines) -> None:  # noqa: F811
    plain = Settings(database_url=SAFE, broker_url=MQ)

    transport.warn(plain)
    part, shown = diag.part(plain), health._transport(plain)

    assert [line["connection"] for line in log_lines.events("tls_off")] == ["broker"]
    assert len(part.problems) == 1
    assert (shown.ok, "amqp:// to another machine" in shown.detail) == (False, True)
    assert "certificate is checked" in shown.detail
    assert "hush" not in str([part, shown])


def test_a_desk_with_tls_everywhere_says_nothing_in_its_log(log_lines: LogLines) -> None:  # noqa: F811
    safe = Settings(database_url=SAFE, broker_url=MQ.replace("amqp:", "amqps:"))

    transport.warn(safe)

    assert log_lines.events("tls_off") == []
    assert diag.part(safe).problems == []
    assert health._transport(safe).ok


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def tls_postgres(authority: trustme.CA) -> Iterator[PostgresServer]:
    with PostgresServer(tls=authority.issue_cert("localhost")) as server:
        yield server


@pytest.fixture
def ca_file(tmp_path: Path) -> Callable[[trustme.CA], str]:
    def write(authority: trustme.CA) -> str:
        path = tmp_path / "ca.pem"
        authority.cert_pem.write_to_path(str(path))
        return str(path)

    return write


def test_postgres_is_spoken_to_over_tls_and_only_with_a_certificate_for_its_name(
    tls_postgres: PostgresServer, authority: trustme.CA, ca_file: Callable[[trustme.CA], str]
) -> None:
    by_name = tls_postgres.url.replace("127.0.0.1", "localhost") + "?sslmode=verify-full&sslrootcert="
    by_address = tls_postgres.url + "?sslmode=verify-full&sslrootcert="

    assert _encryption(by_name + ca_file(authority)) == "TLSv1.3"
    with pytest.raises(peewee.OperationalError, match="does not match host name"):
        _encryption(by_address + ca_file(authority))
    with pytest.raises(peewee.OperationalError, match="certificate verify failed"):
        _encryption(by_name + ca_file(trustme.CA()))


def _encryption(url: str) -> str:
    """The TLS version that the server sees, through the pool that every process uses."""
    pool = PooledPostgres(url, max_connections=1, stale_timeout=60, timeout=5, **connect_options(url))
    pool.connect()
    try:
        row = pool.execute_sql("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl").fetchone()
        return "" if row is None else str(row[0])
    finally:
        pool.close_all()


def test_rabbitmq_is_spoken_to_over_tls_and_only_with_a_trusted_certificate(
    rabbit_server: RabbitServer, ca_file: Callable[[trustme.CA], str]
) -> None:
    def connect(ca: str) -> None:
        url = rabbit_server.tls_url + "?ssl_options=" + quote(repr({"cafile": ca}))
        pika.BlockingConnection(pika.URLParameters(broker.amqp_url(url))).close()

    connect(str(rabbit_server.ca_file))
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(ca_file(trustme.CA()))
    with pytest.raises(ssl.SSLCertVerificationError):  # the machine's authorities do not know the private one
        pika.BlockingConnection(pika.URLParameters(broker.amqp_url(rabbit_server.tls_url)))
