"""Our own mark in a mail is keyed by SECRET_KEY (automatic.py), so a key is set for all tests of the channel."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from models.kernel import settings


@pytest.fixture(autouse=True, scope="module")
def _secret_key() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECRET_KEY", "a key of forty-two characters for the test")
        settings.current.cache_clear()
        yield
    settings.current.cache_clear()
