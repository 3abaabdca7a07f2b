"""The process's broker: RabbitMQ, or Dramatiq's in-memory broker for the embedded desk.

One Dramatiq actor, `run_task`, receives every wake-up: the message contains only the task's id, and the row says what
to do. So a worker of an older release can postpone a newer kind of task instead of dead-lettering its message.
Dramatiq's own Retries, delays and results are not used: Retries can lose a message, and delayed messages repeat or
dead-letter themselves.
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import dramatiq
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import AgeLimit, CurrentMessage, Middleware, ShutdownNotifications, TimeLimit

from models.kernel import limits
from models.kernel.settings import Settings
from models.kernel.storage import sockets
from models.tasks.kinds import QUEUES

ACTOR_NAME = "run_task"

# A broker that is away, blocked or gone must be noticed in seconds; pika's defaults wait without a limit. The heartbeat
# detects a broker whose machine runs and whose program hangs.
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
        TimeLimit(time_limit=(limits.actor_time_limit_s + limits.successors_s) * 1000),
        ShutdownNotifications(),
        CurrentMessage(),
    ]


def amqp_url(url: str) -> str:
    """Return the broker's URL with our connection timeouts; the operator's own parameters take precedence."""
    parts = urlsplit(url)
    query = {**_CONNECTION, **dict(parse_qsl(parts.query))}
    return urlunsplit(parts._replace(query=urlencode(query)))


def rabbitmq(settings: Settings) -> Any:
    """Return a RabbitMQ broker with publisher confirms (they detect a missing queue); it connects at first use."""
    from dramatiq.brokers.rabbitmq import RabbitmqBroker

    # Pika logs ten errors with tracebacks for each refused connection; the publisher logs `broker_away` once, and
    # Dramatiq's consumers log it themselves.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    return RabbitmqBroker(url=amqp_url(settings.broker_url), confirm_delivery=True, middleware=_middleware())


def create(settings: Settings) -> Any:
    """Return the broker of the settings, with all queues declared; opens no connection."""
    broker = StubBroker(middleware=_middleware()) if settings.embedded else rabbitmq(settings)
    for queue in QUEUES:
        broker.declare_queue(queue)
    return broker


def add_runner(broker: Any) -> None:
    """Register the actor that runs tasks; for processes that run tasks."""
    from queues import runner

    def run_task(task_id: int) -> None:
        runner.run_with_successors(task_id)

    dramatiq.actor(actor_name=ACTOR_NAME, queue_name=QUEUES[0], broker=broker)(run_task)


def message(task_id: int, queue: str) -> dramatiq.Message[None]:
    """Return a wake-up: it contains only the task's id."""
    return dramatiq.Message(queue_name=queue, actor_name=ACTOR_NAME, args=(task_id,), kwargs={}, options={})
