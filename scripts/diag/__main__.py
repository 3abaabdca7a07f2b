"""Print the state of the desk on one page. The exit code is 1 when something needs a person."""

from __future__ import annotations

import argparse
import json

from scripts import _cli
from scripts.diag import broker, ledger, transport
from scripts.diag.part import Part
from scripts.explain import sources, words


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.diag", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    config = _cli.connect("diag", only_look=True)
    parts = [*ledger.parts(config), broker.part(config), transport.part(config)]
    print(_document(parts) if options.json else _text(parts))
    return 1 if any(part.problems for part in parts) else 0


def _document(parts: list[Part]) -> str:
    told = {
        "needs_a_person": [f"{part.name}: {problem}" for part in parts for problem in part.problems],
        "parts": {part.name: part.facts | {"problems": part.problems} for part in parts},
    }
    return json.dumps(told, ensure_ascii=False, indent=2, default=sources.plain)


def _text(parts: list[Part]) -> str:
    lines: list[str] = []
    for part in parts:
        lines.append(part.name)
        lines.extend(f"  {line}" for line in part.lines)
        lines.extend(f"  ! {problem}" for problem in part.problems)
    count = sum(len(part.problems) for part in parts)
    verdict = f"{words.counted(count, 'thing')} for a person, marked with !" if count else "Nothing needs a person."
    return "\n".join([*lines, "", verdict])


if __name__ == "__main__":
    _cli.end(main)
