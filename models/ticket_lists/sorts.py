"""The orders of ticket lists."""

from __future__ import annotations

# Sort word -> (column, newest or largest first)
SORTS: dict[str, tuple[str, bool]] = {
    "-updated_at": ("updated_at", True),
    "updated_at": ("updated_at", False),
    "-created_at": ("created_at", True),
    "created_at": ("created_at", False),
    "-number": ("number", True),
    "number": ("number", False),
    "-next_due_at": ("next_due_at", True),
    "next_due_at": ("next_due_at", False),
}
