"""Statements in the dialect of the engine."""

from __future__ import annotations

import re
from functools import lru_cache

_PARAMETER = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)")
_NOW_PLUS = re.compile(r"NOW_PLUS\(([^()]*(?:\([^()]*\)[^()]*)*)\)")


@lru_cache(maxsize=512)
def translate(statement: str, *, postgres: bool, shifted: bool) -> str:
    """Translate a statement into the engine's dialect.

    `NOW()` and `NOW_PLUS(seconds)` are the database's clock on PostgreSQL (plus the test shift), the machine's on
    SQLite, as `clock.now()` is. `FOR_UPDATE` and `SKIP_LOCKED` vanish on SQLite, where the writer is alone anyway.
    """
    if postgres:
        shift = " + :clock_shift_s * interval '1 second'" if shifted else ""
        text = _NOW_PLUS.sub(lambda m: f"(now(){shift} + ({m[1]}) * interval '1 second')", statement)
        text = text.replace("NOW()", f"(now(){shift})" if shift else "now()")
        text = text.replace("FOR_UPDATE", "FOR UPDATE").replace("SKIP_LOCKED", "SKIP LOCKED").replace("%", "%%")
        return _PARAMETER.sub(r"%(\1)s", text)
    text = _NOW_PLUS.sub(r"now_plus(\1)", statement).replace("NOW()", "now_plus(0)")
    return text.replace("FOR_UPDATE", "").replace("SKIP_LOCKED", "").replace("::jsonb", "").replace("::uuid", "")
