"""The reader of the cases in this folder, for the tests and for `scripts/bench/parts/reply_classifier.py`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Case:
    """A body and its newly written part."""

    id: str
    body: str
    visible: str
    subject: str = ""
    signature: str | None = None
    reason: str | None = None


def cases(kind: str) -> list[Case]:
    """Read all cases of one kind: `text` or `html`."""
    found = []
    for path in sorted((FOLDER / kind).glob("*.yaml")):
        for entry in yaml.safe_load(path.read_text(encoding="utf-8")):
            found.append(
                Case(
                    id=f"{path.stem}: {entry['name']}",
                    body=entry[kind],
                    visible=entry["visible"].strip("\n"),
                    subject=entry.get("subject", ""),
                    signature=entry.get("signature"),
                    reason=entry.get("reason"),
                )
            )
    return found
