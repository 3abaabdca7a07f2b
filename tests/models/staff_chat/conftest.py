"""The staff group of the tests."""

from __future__ import annotations

from tests.models.staff_chat.groups import group

__all__ = ["group"]
