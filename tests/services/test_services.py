"""The servers that the fault tests stop, kill and block do what those tests believe of them."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pika
import psycopg2
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from tests.services import limits
from tests.services.dovecot import DovecotServer
from tests.services.ports import accepts
from tests.services.postgres import PostgresServer
from tests.services.rabbitmq import QueueType, RabbitServer
from tests.services.waiting import wait_until

PERSISTENT = pika.BasicProperties(delivery_mode=2)
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def own_postgres(postgres_server: PostgresServer) -> Iterator[PostgresServer]:
    """The session's server, running again after a test that stopped it."""
    yield postgres_server
    postgres_server.start()


def execute(url: str, statement: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


@contextmanager
def channel_of(url: str) -> Iterator[BlockingChannel]:
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        yield channel


@pytest.mark.parametrize("end", [PostgresServer.stop, PostgresServer.kill], ids=["stopped", "killed"])
def test_a_postgresql_that_was_ended_comes_back_on_its_port_with_what_was_committed(
    own_postgres: PostgresServer, end: Callable[[PostgresServer], None]
) -> None:
    url = own_postgres.create_database()
    execute(url, "CREATE TABLE note (body text)")
    execute(url, "INSERT INTO note VALUES ('kept')")

    end(own_postgres)
    assert not accepts(own_postgres.port)
    own_postgres.start()

    assert execute(url, "SELECT body FROM note") == [("kept",)]


def test_a_database_made_from_a_template_is_a_copy_of_it(postgres_server: PostgresServer) -> None:
    template = postgres_server.create_database("the_template")
    execute(template, "CREATE TABLE note (body text)")

    copy = postgres_server.create_database(template="the_template")

    assert execute(copy, "SELECT count(*) FROM note") == [(0,)]
    postgres_server.drop_database(copy)
    with pytest.raises(psycopg2.OperationalError, match="does not exist"):
        execute(copy, "SELECT 1")


@pytest.mark.usefixtures("postgres_server")  # left out with the others when there is no PostgreSQL
def test_a_benchmark_gets_a_postgresql_that_waits_for_the_disk() -> None:
    with PostgresServer(fsync=True) as server:
        assert execute(server.url, "SHOW fsync") == [("on",)]
        done = subprocess.run([server.bin("pgbench"), "--version"], capture_output=True, text=True, check=True)

    assert "pgbench" in done.stdout
    assert not accepts(server.port)


def test_a_rabbitmq_that_was_stopped_keeps_a_durable_queue_and_its_persistent_message(
    rabbit_server: RabbitServer,
) -> None:
    url = rabbit_server.create_vhost()
    with channel_of(url) as channel:
        channel.queue_declare("sends", durable=True)
        channel.basic_publish("", "sends", b"kept", PERSISTENT)

    rabbit_server.stop()
    stopped = not accepts(rabbit_server.port)
    rabbit_server.start()

    assert stopped
    with channel_of(url) as channel:
        assert channel.basic_get("sends", auto_ack=True)[2] == b"kept"


def test_the_broker_can_be_stopped_and_started_inside_its_node(rabbit_server: RabbitServer) -> None:
    url = rabbit_server.create_vhost()

    rabbit_server.stop_app()
    stopped = not accepts(rabbit_server.port)
    rabbit_server.start_app()

    assert stopped
    with channel_of(url) as channel:
        assert channel.is_open


def test_a_memory_alarm_blocks_a_publisher_until_it_is_cleared(rabbit_server: RabbitServer) -> None:
    confirmed = threading.Event()
    with channel_of(rabbit_server.create_vhost()) as channel:
        channel.queue_declare("sends", durable=True)

        def publish() -> None:
            channel.basic_publish("", "sends", b"wakeup", PERSISTENT)
            confirmed.set()

        rabbit_server.set_alarm(True)
        publisher = threading.Thread(target=publish)
        publisher.start()
        # A confirm takes a millisecond; that none comes in a second is what blocked means.
        blocked = not confirmed.wait(1)
        rabbit_server.set_alarm(False)

        assert blocked
        assert confirmed.wait(limits.rabbitmqctl_s)
        publisher.join()


@pytest.mark.parametrize("queue_type", ["classic", "quorum"])
def test_a_vhost_gives_its_queues_its_default_type(rabbit_server: RabbitServer, queue_type: QueueType) -> None:
    url = rabbit_server.create_vhost(default_queue_type=queue_type)

    with channel_of(url) as channel:
        channel.queue_declare("default", durable=True)
        channel.basic_publish("", "default", b"wakeup", PERSISTENT)
        declared_type = rabbit_server.management.queue(url, "default")["type"]
        rabbit_server.purge("default", url=url)
        left = channel.queue_declare("default", durable=True, passive=True).method.message_count

    assert declared_type == queue_type
    assert left == 0


def test_a_dovecot_that_was_stopped_comes_back_on_its_ports_with_its_mails(
    imap_server: DovecotServer,
) -> None:
    mailbox = imap_server.new_mailbox()
    imap_server.deliver(mailbox, b"Subject: kept\r\n\r\nx\r\n")

    imap_server.stop()
    stopped = not accepts(imap_server.port) and not accepts(imap_server.tls_port)
    imap_server.start()

    assert stopped
    assert imap_server.unseen(mailbox) == 1
    assert imap_server.unseen(imap_server.new_mailbox()) == 0


@pytest.mark.usefixtures("postgres_server")  # left out with the others when there is no PostgreSQL
def test_a_killed_owner_leaves_no_server_and_no_folder_behind() -> None:
    program = (
        "from tests.services.postgres import PostgresServer\n"
        "server = PostgresServer(); server.start()\n"
        "print(server.port, server.log.parent, flush=True); input()"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    )
    assert owner.stdout is not None
    port, folder = owner.stdout.readline().split()
    assert accepts(int(port))

    os.kill(owner.pid, signal.SIGKILL)
    owner.communicate()

    wait_until(
        lambda: not accepts(int(port)) and not Path(folder).exists(),
        within_s=limits.postgres_stop_s,
        what="The guard's work",
    )
