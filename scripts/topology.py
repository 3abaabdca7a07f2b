"""Declare the RabbitMQ queues. Safe to repeat. KEDA cannot start workers while the queues are missing."""

from __future__ import annotations

import argparse

from models.kernel.errors import ConfigurationError
from queues import topology
from scripts import _cli


def main() -> int:
    argparse.ArgumentParser(prog="python -m scripts.topology", description=__doc__).parse_args()
    config = _cli.connect("topology")
    try:
        declared = topology.declare(config)
    except Exception as error:  # whatever the broker's client raises, the operator's remedy is the same
        raise ConfigurationError(f"cannot declare the queues at BROKER_URL: {type(error).__name__}: {error}") from error
    print(f"declared {', '.join(declared)}" if declared else "the embedded broker has no queues to declare")
    return 0


if __name__ == "__main__":
    _cli.end(main)
