"""Several people who write and are answered all the time, while something is done to the desk."""

from __future__ import annotations

import statistics
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from tests.faults import checks, limits
from tests.faults.people import Requester
from tests.faults.stack import Desk
from tests.services.waiting import wait_until


class Flow:
    """People who write all the time, and agents who answer them; remembers how long each request took."""

    def __init__(self, desk: Desk, *, people: int = 8, chats: int = 2) -> None:
        """`chats` of the people use Telegram."""
        self.requesters = [Requester(desk, "telegram" if n < chats else "email") for n in range(people)]
        self.took_s: list[float] = []

    @contextmanager
    def running(self, *, every_s: float = 0.4) -> Iterator[None]:
        """Inside, each person writes and is answered every `every_s`, in a chat every `limits.chat_every_s`."""
        for requester in self.requesters:  # not measured: a process's first requests load what they need
            requester.write()
            requester.be_answered()
        stop = threading.Event()

        def talk(requester: Requester) -> None:
            pause_s = max(every_s, limits.chat_every_s) if requester.channel == "telegram" else every_s
            while not stop.wait(pause_s):
                self.took_s += [requester.write().took_s, requester.be_answered().took_s]

        with ThreadPoolExecutor(len(self.requesters)) as pool:
            talks = [pool.submit(talk, requester) for requester in self.requesters]
            try:
                yield
            finally:
                stop.set()
            for one in talks:
                one.result()

    def goes_on(self, *, rounds: int = 1) -> None:
        """Wait until everybody has written and was answered `rounds` times more, on average."""
        wanted = len(self.took_s) + 2 * len(self.requesters) * rounds
        wait_until(lambda: len(self.took_s) >= wanted, within_s=limits.settle_s, what="requests being answered")

    def told(self) -> str:
        return (
            f"{len(self.took_s)} requests, p50 {statistics.median(self.took_s) * 1000:.0f} ms, slowest"
            f" {max(self.took_s) * 1000:.0f} ms"
        )


def nothing_was_lost(desk: Desk, flow: Flow) -> float:
    """Drains the desk and checks everything; returns the seconds that it took."""
    drained_s = desk.wait_until_drained()
    checks.each_event_made_one_message(desk, flow.requesters)
    checks.each_reply_arrived_once_in_order(desk, flow.requesters)
    checks.the_desk_is_at_rest(desk)
    return drained_s
