"""Keys of an account's file."""

from __future__ import annotations

from models.channels.files import Common, Secret


class Account(Common, kw_only=True):
    """A loft: `workflow_defs/channels/pigeon.<account>.yaml`."""

    bearer: Secret
    reply_url: Secret
