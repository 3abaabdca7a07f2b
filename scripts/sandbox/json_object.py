"""The type of the sandbox's JSON objects: Bot API objects and requests, whose keys the Bot API defines."""

from typing import Any, TypeAlias

JsonObject: TypeAlias = dict[str, Any]
