"""What a worker does on a machine whose clock is wrong, for test_wrong_clocks.py: it answers a message and publishes a
version.
"""

from __future__ import annotations

from models.definitions import store
from models.kernel import settings
from models.kernel.storage import database
from models.kernel.telemetry import logs
from models.tasks.rates import Bucket
from queues import channels
from tests.desk import Desk, FakeProvider


def main() -> None:
    config = settings.current()
    logs.configure("worker", config.log_level)
    database.configure(config)
    desk = Desk("postgresql", config, bucket_list=[Bucket("telegram:demo", 0.05, 2)])
    for name in channels.names():
        vars(channels.get(name))["sender"] = FakeProvider(desk, name)
    desk.receive_telegram()
    desk.run_due()
    assert desk.sent, "the acknowledgement went out from here"
    with database.transaction():
        store.publish("workflow", "w", {"n": 2}, source="", by="there")


if __name__ == "__main__":
    main()
