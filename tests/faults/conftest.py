"""The desks of the fault tests. Servers and the shared desk live as long as the session; each test uses people of its
own.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scripts.sandbox.client import SandboxProcess
from tests.faults.stack import EmbeddedDesk, RealDesk
from tests.services.postgres import PostgresServer
from tests.services.pytest_times import long_lived
from tests.services.rabbitmq import RabbitServer


@pytest.fixture
def sandbox() -> Iterator[SandboxProcess]:
    """Telegram and a mail server of this test; nobody kills them."""
    with SandboxProcess() as process:
        yield process


@pytest.fixture(scope="session")
def shared_sandbox(request: pytest.FixtureRequest) -> Iterator[SandboxProcess]:
    """Telegram and a mail server of the shared desk."""
    with long_lived(request.config, "shared desk of tests/faults", SandboxProcess()) as process:
        yield process


@pytest.fixture(scope="session")
def durable_postgres(postgres_server: PostgresServer, request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """A PostgreSQL that waits for the disk and that tests may restart. (`postgres_server` says whether there is one at
    all.)
    """
    with long_lived(request.config, "PostgreSQL with fsync", PostgresServer(fsync=True)) as server:
        yield server


@pytest.fixture(scope="session")
def _shared_real_desk(
    shared_sandbox: SandboxProcess,
    durable_postgres: PostgresServer,
    rabbit_server: RabbitServer,
    request: pytest.FixtureRequest,
) -> Iterator[RealDesk]:
    vhost = rabbit_server.create_vhost()
    desk = RealDesk(shared_sandbox, database_url=durable_postgres.create_database(), broker_url=vhost)
    with long_lived(request.config, "shared desk of tests/faults", desk):
        yield desk
    rabbit_server.delete_vhost(vhost)


@pytest.fixture
def real_desk(
    _shared_real_desk: RealDesk,
    durable_postgres: PostgresServer,
    rabbit_server: RabbitServer,
    request: pytest.FixtureRequest,
) -> Iterator[RealDesk]:
    """The shared desk on PostgreSQL and RabbitMQ, whole again after each test."""
    failed_before = request.session.testsfailed
    yield _shared_real_desk
    if request.session.testsfailed > failed_before:
        _shared_real_desk.tell_logs()
    durable_postgres.start()
    rabbit_server.start()
    _shared_real_desk.sandbox.control("DELETE", "/faults")
    _shared_real_desk.sandbox.control("DELETE", "/mail-faults")
    _shared_real_desk.start()


@pytest.fixture
def embedded_desk(sandbox: SandboxProcess, request: pytest.FixtureRequest) -> Iterator[EmbeddedDesk]:
    """A desk on SQLite, all in one process, of this test."""
    failed_before = request.session.testsfailed
    with EmbeddedDesk(sandbox) as desk:
        yield desk
        if request.session.testsfailed > failed_before:
            desk.tell_logs()
