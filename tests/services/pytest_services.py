"""The pytest side of the test services: fixtures, and the account of what each test ran against.

A green run that never met PostgreSQL, RabbitMQ or an IMAP server proves little, so the summary says how many tests met
which, and a missing server is either an error (CI) or the loudest line of the output.
"""

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.services import chromium, clamav, dovecot, network, pgbouncer, postgres, rabbitmq
from tests.services.clamav import ClamdServer
from tests.services.dovecot import DovecotServer
from tests.services.network import Network
from tests.services.pgbouncer import PgBouncer
from tests.services.postgres import PostgresServer
from tests.services.pytest_times import long_lived
from tests.services.rabbitmq import RabbitServer

# Fixture -> marker. A test that asks for the server only at run time (`request.getfixturevalue`), as one
# parametrized over both stacks does, carries the marker: pytest.param(..., marks=pytest.mark.postgresql).
_MARKER_BY_FIXTURE = {
    "postgres_server": "postgresql",
    "rabbit_server": "rabbitmq",
    "imap_server": "dovecot",
    "pooler": "pgbouncer",
    "clamd_server": "clamd",
    "private_network": "network",
    "browser": "chromium",
}
_STACKS = {"postgresql", "rabbitmq"}
_LABELS = {
    frozenset[str](): "sqlite+embedded",
    frozenset({"postgresql"}): "postgresql",
    frozenset({"rabbitmq"}): "rabbitmq",
    frozenset({"postgresql", "rabbitmq"}): "both",
}
_ALSO = ("dovecot", "pgbouncer", "clamd", "network", "chromium")
_missing = pytest.StashKey[dict[str, str]]()
_WORKER_OUTPUT = "nestor_missing_servers"


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """One PostgreSQL for the session, without fsync; each test makes its own database in it."""
    if postgres.find_bin_folder() is None:
        _not_on_this_machine(request.config, "PostgreSQL", postgres.MISSING)
    with long_lived(request.config, "PostgreSQL", PostgresServer()) as server:
        yield server


@pytest.fixture(scope="session")
def rabbit_server(request: pytest.FixtureRequest) -> Iterator[RabbitServer]:
    """One RabbitMQ for the session; each test makes its own vhost in it."""
    if rabbitmq.find_bin_folder() is None:
        _not_on_this_machine(request.config, "RabbitMQ", rabbitmq.MISSING)
    with long_lived(request.config, "RabbitMQ", RabbitServer()) as server:
        yield server


@pytest.fixture(scope="session")
def imap_server(request: pytest.FixtureRequest) -> Iterator[DovecotServer]:
    """One Dovecot for the session; each test makes its own mailbox in it."""
    if dovecot.find_program() is None:
        _not_on_this_machine(request.config, "Dovecot", dovecot.MISSING)
    with long_lived(request.config, "Dovecot", DovecotServer()) as server:
        yield server


@pytest.fixture(scope="session")
def pooler(request: pytest.FixtureRequest, postgres_server: PostgresServer) -> Iterator[PgBouncer]:
    """One PgBouncer in transaction mode before the session's PostgreSQL."""
    if pgbouncer.find_program() is None:
        _not_on_this_machine(request.config, "PgBouncer", pgbouncer.MISSING)
    with long_lived(request.config, "PgBouncer", PgBouncer(postgres_server)) as running:
        yield running


@pytest.fixture(scope="session")
def clamd_server(request: pytest.FixtureRequest) -> Iterator[ClamdServer]:
    """One clamd for the session, which knows EICAR's test file only."""
    if clamav.find_program() is None:
        _not_on_this_machine(request.config, "clamd", clamav.MISSING)
    with long_lived(request.config, "clamd", ClamdServer()) as server:
        yield server


@pytest.fixture(scope="session")
def browser(request: pytest.FixtureRequest) -> Iterator[Any]:
    """One Chromium for the session; each test has a context of its own."""
    program = chromium.find_program()
    if program is None:
        _not_on_this_machine(request.config, "Chromium", chromium.MISSING)
    from playwright.sync_api import sync_playwright  # other tests start without it

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=list(chromium.ARGUMENTS))
        yield running
        running.close()


@pytest.fixture
def private_network(request: pytest.FixtureRequest) -> Iterator[Network]:
    """A network of this test, whose nodes can vanish."""
    if network.find_program() is None:
        _not_on_this_machine(request.config, "network namespaces", network.MISSING)
    with Network() as made:
        yield made


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "postgresql: needs a PostgreSQL server (set by itself with the postgres_server fixture)"
    )
    config.addinivalue_line(
        "markers", "rabbitmq: needs a RabbitMQ server (set by itself with the rabbit_server fixture)"
    )
    config.addinivalue_line(
        "markers", "dovecot: needs a Dovecot IMAP server (set by itself with the imap_server fixture)"
    )
    config.addinivalue_line(
        "markers", "network: needs network namespaces (set by itself with the private_network fixture)"
    )
    config.addinivalue_line("markers", "pgbouncer: needs PgBouncer (set by itself with the pooler fixture)")
    config.addinivalue_line("markers", "clamd: needs ClamAV's daemon (set by itself with the clamd_server fixture)")
    config.addinivalue_line("markers", "chromium: needs Chromium (set by itself with the browser fixture)")
    config.stash[_missing] = {}


@pytest.hookimpl(tryfirst=True)  # before `-m` deselects by marker
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for fixture, marker in _MARKER_BY_FIXTURE.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(marker)


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_WORKER_OUTPUT] = session.config.stash[_missing]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker of pytest-xdist did not find on this machine."""
    node.config.stash[_missing].update(getattr(node, "workeroutput", {}).get(_WORKER_OUTPUT, {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for reason in config.stash[_missing].values():
        terminalreporter.write_sep("!", "NOT TESTED", red=True, bold=True)
        terminalreporter.write_line(f"All tests that need it were left out. {reason}", red=True)
    ran = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    counts = Counter(_LABELS[frozenset(_STACKS & report.keywords.keys())] for report in ran)
    told = ", ".join(f"{label} {counts[label]}" for label in _LABELS.values())
    for marker in _ALSO:
        told += (
            f"{'; of these' if marker == _ALSO[0] else ''}, {marker} {sum(marker in report.keywords for report in ran)}"
        )
    terminalreporter.write_line(f"Tests ran against: {told}")


def _not_on_this_machine(config: pytest.Config, name: str, reason: str) -> None:
    config.stash[_missing][name] = reason
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI=true, so {name} must be there. {reason}", pytrace=False)
    pytest.skip(reason)
