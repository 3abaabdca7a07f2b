"""Replaces a part of every channel, for tests that have a fake in its place."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from queues import channels


def replace_part(patch: pytest.MonkeyPatch, part: str, of_channel: Callable[[str], object]) -> None:
    """Give each channel the part that `of_channel` returns for its name; the real part is not imported."""
    for channel in channels.names():
        patch.setitem(vars(channels.get(channel)), part, of_channel(channel))
