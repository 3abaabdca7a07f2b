"""The account's file as a Struct, converted once for each version."""

from __future__ import annotations

from functools import lru_cache

from models.channels.accounts import ChannelAccount
from models.definitions import shape
from models.kernel.errors import ConfigurationError, Invalid
from models.kernel.storage.batch import as_json, from_json
from queues.channels.webhook.account import Account


def of(account: ChannelAccount) -> Account:
    """Return the account's file. Raises ConfigurationError when this release cannot read the published version."""
    return _converted(account.name, as_json(account.config))


@lru_cache(maxsize=64)
def _converted(name: str, body: str) -> Account:
    try:
        return shape.convert(from_json(body), Account)
    except Invalid as error:
        raise ConfigurationError(f"channel account webhook/{name}: {error.message}") from error
