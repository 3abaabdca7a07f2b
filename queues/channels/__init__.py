"""The registry of channels. Each folder here is a channel; its `channel.py` declares the `Channel`
(`queues/channel_port.py`).

Adding a channel means adding a folder: the registry finds it by its name. The import of this module registers the
channels' facts with the domain (`models/ports/channel_facts.py`).
"""

from __future__ import annotations

import pkgutil
from functools import cache
from typing import Any

from models.kernel import imports
from models.ports import channel_facts
from models.ports.channel_facts import ChannelFacts
from queues.channel_port import Channel


@cache
def names() -> frozenset[str]:
    """Return the channels that have a folder."""
    return frozenset(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg)


@cache
def get(channel: str) -> Channel[Any]:
    """Return the channel's declaration; its parts are imported when they are used.

    Raises ImportError; each call tries again.
    """
    found = imports.load(f"{__name__}.{channel}.channel").CHANNEL
    if not isinstance(found, Channel):
        raise TypeError(f"{__name__}.{channel}.channel: expected CHANNEL to be a Channel, found {type(found).__name__}")
    return found


def facts(channel: str) -> ChannelFacts:
    """Return the facts that the channel declares."""
    return get(channel).facts


channel_facts.register(names, facts)

_complete: set[str] = set()  # channels whose folder is imported


def load_all(channel: str) -> None:
    """Import every module of the channel's folder. Raises ImportError, each time anew."""
    if channel not in _complete:
        imports.load_all(f"{__name__}.{channel}")
        _complete.add(channel)


def complete(channel: str) -> Channel[Any]:
    """Return the channel's declaration after its whole folder is imported, so that no task imports later. Raises
    ImportError.

    A worker calls this for the first task of a channel: the folders of all channels take 24 MiB, and most desks use one
    or two of them. `imports.load_all` lets one thread at a time import.
    """
    load_all(channel)
    return get(channel)


def close_all() -> None:
    """Close the connections of the channels that this process has used; at a worker's shutdown."""
    for channel in sorted(_complete):
        get(channel).close()
