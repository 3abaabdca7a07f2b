"""One round of long polling in a process of its own, for test_telegram_pull.py: `python -m
tests.queues.channels.telegram.polling`.

CRASH_AT ends it like kill -9, before or after the commit of what it read.
"""

from __future__ import annotations

import threading
from dataclasses import replace

from models.kernel import settings
from models.kernel.storage import database
from queues.channels.telegram.bot_api import bots
from queues.channels.telegram.pull import pull
from tests.queues.channels import golden


def main() -> None:
    config = settings.current()
    database.configure(config)
    account = replace(golden.TELEGRAM, config={**golden.TELEGRAM.config, "delivery": "polling"})
    pull(account, config, threading.Event(), 0)
    bots.close()


if __name__ == "__main__":
    main()
