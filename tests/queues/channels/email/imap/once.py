"""One reading in a process of its own, to be killed by CRASH_AT: `python -m tests.queues.channels.email.imap.once
CA_FILE`.
"""

from __future__ import annotations

import sys

from models.channels import accounts
from models.kernel import settings
from models.kernel.storage import database
from tests.queues.channels.email.imap.conftest import reading
from tests.queues.channels.email.imap.reading_once import pull_once


class _Server:
    ca_file = sys.argv[1]


if __name__ == "__main__":
    config = settings.current()
    database.configure(config)
    with database.connection():
        account = reading(accounts.find("email", "demo"), _Server())  # type: ignore[arg-type]
    pull_once(account, config)
