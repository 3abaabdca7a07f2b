"""The queues of RabbitMQ, and the one command that declares them.

The desk declares them, because the arguments must be Dramatiq's own: a declaration with other arguments fails with 406
(PRECONDITION_FAILED). The type of the queues is the default of the virtual host; classic and quorum queues both work.
"""

from __future__ import annotations

from models.kernel.settings import Settings
from models.tasks.kinds import QUEUES

__all__ = ["QUEUES", "declare"]


def declare(settings: Settings) -> tuple[str, ...]:
    """Declare every queue with its delay and dead-letter queues; safe to repeat. Does nothing for
    the embedded broker.
    """
    if settings.embedded:
        return ()
    # Not at the top: manifests and documents read QUEUES without a broker library.
    from queues import broker

    connected = broker.rabbitmq(settings)
    try:
        for queue in QUEUES:
            connected.declare_queue(queue, ensure=True)
    finally:
        connected.close()
    return QUEUES
