"""Make the process's broker: RabbitMQ, or Dramatiq's in-memory one for the embedded desk.

One Dramatiq actor, `run_task`, carries every hint: the message holds only the task's id, and the row says what to do. So a worker of
an older release can give a newer kind of task back instead of dead-lettering its message. Dramatiq's own Retries, delays and
results are not used: Retries can lose a message, and delayed messages repeat or dead-letter themselves.
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import dramatiq
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import AgeLimit, CurrentMessage, Middleware, ShutdownNotifications, TimeLimit

from models.kernel import limits, sockets
from models.kernel.settings import Settings
from models.tasks.kinds import QUEUES

ACTOR_NAME = "run_task"

# A broker that is away, blocked or vanished must be noticed in seconds; pika's defaults wait without a bound. The heartbeat notices a
# broker whose machine lives and whose program hangs.
_CONNECTION = {
    "heartbeat": "60",
    "tcp_options": repr(sockets.tcp_options(limits.server_lost_s)),
    "blocked_connection_timeout": "2",
    "socket_timeout": "2",
    "stack_timeout": "4",
    "connection_attempts": "1",
}


def _middleware() -> list[Middleware]:
    return [
        AgeLimit(),
        TimeLimit(time_limit=limits.actor_time_limit_s * 1000),
        ShutdownNotifications(),
        CurrentMessage(),
    ]


def amqp_url(url: str) -> str:
    """The broker's URL with our connection timeouts; what the operator wrote goes before."""
    parts = urlsplit(url)
    query = {**_CONNECTION, **dict(parse_qsl(parts.query))}
    return urlunsplit(parts._replace(query=urlencode(query)))


def rabbitmq(settings: Settings) -> Any:
    """A RabbitMQ broker with publisher confirms (needed to notice a missing queue); connects at first use."""
    from dramatiq.brokers.rabbitmq import RabbitmqBroker

    # Pika logs ten errors with tracebacks for each refused connection; the publisher says `broker_away` once, Dramatiq's
    # consumers say it for themselves.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    return RabbitmqBroker(url=amqp_url(settings.broker_url), confirm_delivery=True, middleware=_middleware())


def create(settings: Settings) -> Any:
    """The broker that the settings ask for, with the queues known to it; opens no connection."""
    broker = StubBroker(middleware=_middleware()) if settings.embedded else rabbitmq(settings)
    for queue in QUEUES:
        broker.declare_queue(queue)
    return broker


def add_runner(broker: Any) -> None:
    """Teach the broker the actor that runs tasks; for processes that work."""
    from queues import runner

    def run_task(task_id: int) -> None:
        runner.run_task(task_id)  # its outcome is for tests and metrics; Dramatiq would take it for a result

    dramatiq.actor(actor_name=ACTOR_NAME, queue_name=QUEUES[0], broker=broker)(run_task)


def message(task_id: int, queue: str) -> dramatiq.Message[None]:
    """The hint: nothing but the task's id."""
    return dramatiq.Message(queue_name=queue, actor_name=ACTOR_NAME, args=(task_id,), kwargs={}, options={})
