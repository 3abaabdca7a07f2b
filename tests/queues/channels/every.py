"""What the suite of all channels asks of each: how its provider speaks to us, and a provider to be spoken to."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Literal, Protocol, cast, runtime_checkable

import pytest
from falcon import testing

from queues import channels
from scripts.sandbox.client import SandboxProcess

NAMES = sorted(channels.names())
each_channel = pytest.mark.parametrize("channel", NAMES)
Post = Callable[..., testing.Result]
RIGHT = "demo-secret"  # of every demo account (tests/fixtures_desk.py)


class Provider(Protocol):
    """A real server that stands for the provider; it takes what it is sent unless told otherwise, once."""

    def throttle(self) -> None:
        """Refuse the next one for now."""

    def refuse(self) -> None:
        """Refuse the next one for good."""

    def stay_silent(self) -> None:
        """Take the next one and do not answer while anybody waits."""

    def taken(self) -> list[str]:
        """The texts that arrived, in order; those that nobody was told of as well."""


@runtime_checkable
class Manners(Protocol):
    """A channel's module in `manners`. Requests go to the demo account."""

    CONTENT_TYPE: str
    UNKNOWN_IS: Literal["ignored", "failed"]  # what becomes of `unknown`

    def proof(self, secret: str) -> Mapping[str, str]:
        """The headers by which the provider proves itself."""

    def said(self, text: str, number: int) -> bytes:
        """A person's message; the same number is the same event. All are of one person."""

    def unknown(self) -> bytes:
        """An event that the desk has no use for."""

    def malformed(self) -> list[bytes]:
        """Bodies that are none of the provider's."""

    def serve(self, sandbox: SandboxProcess, patch: pytest.MonkeyPatch) -> AbstractContextManager[Provider]:
        """The provider, to which the demo account sends from now on."""


def manners(channel: str) -> Manners:
    """The channel's manners; a channel without them fails the suite by its name."""
    return cast(Manners, importlib.import_module(f"tests.queues.channels.manners.{channel}"))
