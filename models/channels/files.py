"""Keys of every channel account's file; each channel's `account.py` adds its own."""

from __future__ import annotations

from typing import Annotated

import msgspec

from models.kernel import languages, limits

Tag = Annotated[str, msgspec.Meta(pattern=languages.PATTERN, max_length=limits.locale_chars_max)]


class Secret(msgspec.Struct, forbid_unknown_fields=True):
    """A credential by its name: `{secret: name}`; its value comes from the environment or SECRETS_DIR, never from the
    file.
    """

    secret: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,63}\Z")]


class Common(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Keys of all channels. `path_id`: the webhook address ends in this secret instead of the account's name."""

    channel: str
    account: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,40}\Z")]
    demo: bool = False
    default: bool = False
    enabled: bool = True
    path_id: Secret | None = None
    display_name: str | None = None
    workflow: str | None = None
    ticket_type: str | None = None
    team: str | None = None
    # None: the desk's first language.
    locale: Tag | None = None
    locales: list[Tag] = []
    texts: dict[str, dict[str, str]] = {}  # name -> language -> text: greeting, registered, closed ...
    acknowledge: bool = True
    new_tickets_per_hour: Annotated[int, msgspec.Meta(ge=1)] = limits.new_tickets_per_sender_hour
    attachment_bytes_max: Annotated[int, msgspec.Meta(ge=0, le=limits.webhook_body_bytes_max)] = 25 * limits.MIB
