"""Finds an account's description: the shipped one of its provider, or its own."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

from models.channels.accounts import ChannelAccount
from models.definitions import shape
from models.kernel import imports
from models.kernel.errors import ConfigurationError, Invalid
from models.kernel.storage.batch import as_json, from_json
from queues.channels.email import providers
from queues.channels.email.providers.described.description import Description

_PROVIDERS = Path(__file__).parent.parent


@cache
def shipped(name: str) -> Description:
    """Return the shipped description of a provider. Raises Invalid for a faulty file."""
    # The first account of such a provider pays for the YAML parser; the others do not load it.
    files = imports.load("models.definitions.files")
    body, _ = files.read(_PROVIDERS / name / providers.DESCRIPTION_FILE)
    return shape.convert(body, Description)


def of(account: ChannelAccount) -> Description:
    """Return the account's description. Raises ConfigurationError when this release cannot read it."""
    provider = str(account.config.get("provider", ""))
    if provider in providers.with_description():
        return shipped(provider)
    return _own(account.name, as_json(account.config.get("description")))


@lru_cache(maxsize=64)
def _own(name: str, body: str) -> Description:
    try:
        return shape.convert(from_json(body), Description)
    except Invalid as error:
        raise ConfigurationError(f"channel account email/{name}: description: {error.message}") from error
