"""The whole register: table -> column -> entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from models.privacy.register import conversation, desk, person
from models.privacy.register.treatments import Column

TABLES: Final[Mapping[str, Mapping[str, Column]]] = {**person.TABLES, **conversation.TABLES, **desk.TABLES}
