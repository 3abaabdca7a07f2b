"""The types of a bot's file. The webhook function loads this module: no heavy imports."""

from __future__ import annotations

from typing import Literal

import msgspec

from models.channels.files import Common, Secret


class Staff(msgspec.Struct, forbid_unknown_fields=True):
    """A group with topics in which agents work; the bot must be its administrator."""

    chat_id: int
    tickets: Literal["all", "telegram"] = "all"  # tickets of every channel, or those of this bot only
    teams: list[str] = []  # teams with `visibility: members` whose tickets the group may read


class OwnCommand(msgspec.Struct, forbid_unknown_fields=True):
    """A command of the account: answers with a text, by language."""

    text: dict[str, str]
    description: dict[str, str] = {}


class Account(Common, kw_only=True):
    """A bot's file: `workflow_defs/channels/telegram.<account>.yaml`."""

    token: Secret
    secret_token: Secret | None = None  # required unless `delivery: polling`
    bot_id: int | None = None
    bot_username: str | None = None  # for mentions in groups and deep links
    delivery: Literal["webhook", "polling"] = "webhook"
    groups: Literal["off", "per_topic", "per_user", "on_mention"] = "per_topic"
    channel_posts: Literal["off", "ticket"] = "off"
    commands: dict[str, OwnCommand] = msgspec.field(default_factory=dict)
    staff: Staff | None = None
    requester_buttons: bool = True  # the transitions that a requester may take, under our messages
    silent_notices: bool = True  # automatic messages make no sound
    show_agent_name: bool = False
