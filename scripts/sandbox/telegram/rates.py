"""The Bot API's rate limits, for tests that ask whether the desk keeps them.

GCRA: each key has a theoretical arrival time that moves on by one interval a send; a send is refused when
that time is further ahead than the burst allows. One number a key, no timers.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from scripts.sandbox import limits


class Rates:
    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._arrivals: OrderedDict[tuple[int, int | str | None], float] = OrderedDict()

    def retry_after_s(self, bot_id: int, chat_id: int | str) -> int:
        """0 when the send may pass (and is counted), else whole seconds until it may."""
        in_group = not isinstance(chat_id, int) or chat_id < 0
        chat_rate = limits.GROUP_SENDS_PER_S if in_group else limits.CHAT_SENDS_PER_S
        chat_burst = limits.GROUP_BURST if in_group else limits.CHAT_BURST
        now = self._now()
        keys: list[tuple[tuple[int, int | str | None], float, int]] = [
            ((bot_id, None), limits.BOT_SENDS_PER_S, limits.BOT_BURST),
            ((bot_id, chat_id), chat_rate, chat_burst),
        ]
        moved: dict[tuple[int, int | str | None], float] = {}
        for key, rate, burst in keys:
            arrival = max(self._arrivals.get(key, now), now)
            wait_s = arrival - now - (burst - 1) / rate
            if wait_s > 1e-9:  # a refused send counts nowhere
                return math.ceil(wait_s)
            moved[key] = arrival + 1 / rate
        for key, arrival in moved.items():
            self._arrivals[key] = arrival
            self._arrivals.move_to_end(key)
        while len(self._arrivals) > limits.RATE_KEYS_MAX:
            self._arrivals.popitem(last=False)
        return 0
