"""The queues of RabbitMQ, and the one command that declares them.

Declared by us and not by an operator, because the arguments must be Dramatiq's own (a re-declaration with others fails with 406 for
ever). The type of the queues is the vhost's default: classic or quorum both work.
"""

from __future__ import annotations

from models.kernel.settings import Settings
from models.tasks.kinds import QUEUES

__all__ = ["QUEUES", "declare"]


def declare(settings: Settings) -> tuple[str, ...]:
    """Declare every queue with its delay and dead-letter companions; safe to repeat. Nothing for the embedded broker."""
    if settings.embedded:
        return ()
    from queues import broker  # not at import: manifests and docs read QUEUES without a broker library

    connected = broker.rabbitmq(settings)
    try:
        for queue in QUEUES:
            connected.declare_queue(queue, ensure=True)
    finally:
        connected.close()
    return QUEUES
