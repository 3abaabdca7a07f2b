"""Record the statements that one request really executes inside its transaction.

`python -m scripts.bench.recorded [--row-by-row]` runs in a process of its own on a scratch database (it wraps
`database.execute`), posts two tickets through the gateway's application and writes both recordings as
JSON. Two, because what differs between them is what differs between requests. `--row-by-row` lets a batch execute each
insert alone, as on SQLite.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from models.kernel.open_json import JsonObject

_ROOT = Path(__file__).resolve().parents[2]
FIRST_NUMBER = 987_654_001  # ticket numbers that cannot be mistaken for anything else
NOW = "\x01now"  # stands for an instant


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement with `%(name)s` places and its values."""

    text: str
    values: JsonObject


def statements_of(
    body: str, environment: dict[str, str], *, row_by_row: bool
) -> tuple[list[Statement], list[Statement]]:
    """The statements of two requests with this body (`{n}` differs)."""
    command = [sys.executable, "-m", "scripts.bench.recorded", *(["--row-by-row"] if row_by_row else [])]
    done = subprocess.run(command, input=body, env=environment, cwd=_ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"cannot record the statements of a request: {done.stderr[-2_000:]}")
    first, second = json.loads(done.stdout.splitlines()[-1])
    if [s["text"] for s in first] != [s["text"] for s in second]:
        raise RuntimeError("two equal requests executed different statements")
    return [Statement(**s) for s in first], [Statement(**s) for s in second]


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return NOW
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def main() -> None:
    from falcon.testing import TestClient

    from functions.gateway.app import create_app
    from models.kernel.storage import batch, database
    from scripts.bench.stack import BEARER

    recorded: list[JsonObject] = []
    execute = database.execute

    def recording(statement: str, parameters: Mapping[str, Any] | None = None, /, **named: Any) -> Any:
        if database.in_transaction():
            values = {name: _plain(value) for name, value in {**(parameters or {}), **named}.items()}
            text = database.translate(statement, postgres=True, shifted=False)
            recorded.append({"text": text, "values": values})
        return execute(statement, parameters, **named)

    def one_by_one(self: Any) -> list[Any]:
        results = []
        for (table, columns, returning, unless_exists), values in zip(self._inserts, self._values, strict=True):
            text = batch._insert(table, columns, returning, unless_exists, "")
            cursor = database.execute(text, values)
            row = cursor.fetchone() if returning else None
            results.append(row[0] if row else None)
        return results

    client = TestClient(create_app())
    with database.connection():
        execute("SELECT setval('ticket_numbers', :before)", before=FIRST_NUMBER - 1)
    body = sys.stdin.read()
    # The first request fills the caches, as a process's first one does.
    recordings = []
    database.execute = recording
    if "--row-by-row" in sys.argv:
        batch.Batch.write = one_by_one  # type: ignore[method-assign]
    for n in range(3):
        recorded = []
        answer = client.simulate_post(
            "/v1/tickets",
            body=body.replace("{n}", str(880_000 + n)),
            headers={**BEARER, "Content-Type": "application/json"},
        )
        assert answer.status_code == 201, answer.text
        recordings.append(recorded)
    print(json.dumps(recordings[1:]), flush=True)
    os._exit(0)  # the publisher thread may still be sending a wakeup


if __name__ == "__main__":
    main()
