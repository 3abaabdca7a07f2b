"""Languages: every text that people read must be in both."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from models.workflow.analysis.findings import Finding, warning
from models.workflow.analysis.subject import Subject

_CYRILLIC = re.compile(r"[А-Яа-яЁё]")
_WORD = re.compile(r"[A-Za-z]{3,}")


def findings(subject: Subject) -> Iterator[Finding]:
    """Missing texts are refused by `checks`; here: a Russian text without a Russian letter is a copy that waits for its
    translator.
    """
    workflow = subject.workflow
    told: list[tuple[str, Mapping[str, str] | None]] = [(".label", dict[str, str](workflow.label.items()))]
    for name, state in workflow.states.items():
        told.append((f".states.{name}.label", dict[str, str](state.label.items())))
        if state.requester_label is not None:
            told.append((f".states.{name}.requester_label", dict[str, str](state.requester_label.items())))
    for name, transition in workflow.transitions.items():
        told.append((f".transitions.{name}.label", dict[str, str](transition.label.items())))
        if transition.confirm is not None:
            told.append((f".transitions.{name}.confirm", dict[str, str](transition.confirm.items())))
    for name, template in workflow.templates.items():
        told.append((f".templates.{name}", {"en": template.en, "ru": template.ru}))
    for place, label in told:
        russian = re.sub(r"\{[{%].*?[}%]\}", "", (label or {}).get("ru", ""), flags=re.DOTALL)
        if _WORD.search(russian) and not _CYRILLIC.search(russian):
            yield warning(
                "missing_translation",
                f"{place}.ru",
                "the Russian text has no Russian letter: is it translated?",
            )
