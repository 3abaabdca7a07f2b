"""The types of the channel port clean their own texts, whatever an adapter gives them."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.kernel import limits
from models.kernel.text import identifier
from models.ports import guards, inbound, outbound
from models.ports.guards import Guarded, Name
from models.ports.inbound import EventKey, InboundMessage


def _is_port_type(one: object) -> bool:
    return isinstance(one, type) and issubclass(one, Guarded) and one is not Guarded


TYPES: list[type[Guarded]] = sorted(
    {one for module in (inbound, outbound) for one in vars(module).values() if _is_port_type(one)},
    key=lambda one: one.__name__,
)
_HOSTILE = st.text(
    st.one_of(st.characters(), st.sampled_from("\x00\x1b\r\n\u2028\u202e\x85\ud800\udfff<é")), max_size=40
).flatmap(lambda text: st.sampled_from([text, text * 400, "\x00" + text, text + "\udc00" * 3]))


def _value(annotation: Any, text: str) -> Any:
    """A value of the annotation in which every text is `text`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is str or (origin is Annotated and arguments[0] is str):
        return text
    if origin in (Union, types.UnionType):
        return _value(arguments[0], text)
    if origin is Literal:
        return arguments[0]
    if origin is tuple:
        if arguments[1] is Ellipsis:
            return (_value(arguments[0], text), _value(arguments[0], text))
        return tuple(_value(one, text) for one in arguments)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {text: text, "nested": [{"deeper": text}] if arguments[1] is Any else text}
    if isinstance(annotation, type) and issubclass(annotation, Guarded):
        return _hostile(annotation, text)
    plain: dict[Any, Any] = {int: 1, float: 1.0, bool: True, bytes: b"\x00", datetime: datetime(2026, 1, 1, tzinfo=UTC)}
    return plain[annotation]


def _hostile(cls: type[Guarded], text: str) -> Any:
    hints = get_type_hints(cls, include_extras=True)
    return cls(**{name: _value(hint, text) for name, hint in hints.items()})


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _texts(key)
            yield from _texts(one)
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _texts(one)
    elif dataclasses.is_dataclass(value):
        for found in dataclasses.fields(value):
            yield from _texts(getattr(value, found.name))


def test_every_type_that_the_adapters_give_guards_its_texts() -> None:
    given_by_adapters = {*typing.get_args(inbound.Parsed), inbound.Received, EventKey, outbound.SendOutcome}

    assert given_by_adapters <= set(TYPES)


@pytest.mark.parametrize("cls", TYPES, ids=lambda cls: cls.__name__)
@given(text=_HOSTILE)
@settings(max_examples=40, deadline=None)
def test_any_text_in_any_field_is_storable_and_bounded(cls: type[Guarded], text: str) -> None:
    made = _hostile(cls, text)

    for kept in _texts(made):
        kept.encode("utf-8")  # a lone surrogate raises
        assert "\x00" not in kept
        assert "\r" not in kept


@pytest.mark.parametrize("cls", TYPES, ids=lambda cls: cls.__name__)
def test_a_guarded_value_is_its_own_copy(cls: type[Guarded]) -> None:
    made = _hostile(cls, "a\x00b\r\nc\ud800 \u202e" * 100)

    assert dataclasses.replace(made) == made


@pytest.mark.parametrize("cls", TYPES, ids=lambda cls: cls.__name__)
def test_a_field_of_one_line_stays_on_one_line_and_within_its_bound(cls: type[Guarded]) -> None:
    made = _hostile(cls, "line one\nline two\x1b[31m\u2028" * 1_000)

    for name, hint in get_type_hints(cls, include_extras=True).items():
        alone = next((one for one in (hint, *get_args(hint)) if get_origin(one) is Annotated), None)
        value = getattr(made, name)
        if alone is None or not isinstance(value, str):
            continue
        guard = get_args(alone)[1]
        assert len(value) <= guard.chars_max, name
        if isinstance(guard, guards.OneLine | guards.Identifier):
            assert value.isprintable(), name


def test_a_text_field_without_a_guard_is_refused() -> None:
    @dataclass(frozen=True)
    class Forgotten(Guarded):
        name: Name
        said: str

    with pytest.raises(TypeError, match="needs a guard"):
        guards.guards_of(Forgotten)


def test_long_ids_stay_apart_and_short_ones_unchanged() -> None:
    long = "x" * limits.port_id_chars_max

    assert identifier("<a  b@example.com>", limits.port_id_chars_max) == "<a  b@example.com>"
    assert identifier(long, limits.port_id_chars_max) == long
    assert len({identifier(long + end, limits.port_id_chars_max) for end in ("", "a", "b")}) == 3
    assert identifier(long + "a", limits.port_id_chars_max) == identifier(long + "a", limits.port_id_chars_max)


def test_an_optional_text_of_which_nothing_remains_is_missing() -> None:
    message = InboundMessage("42", "Ada", "42", "It burns.", subject="\x1b\x00\n", locale="\t")

    assert (message.subject, message.locale) == (None, None)
    assert InboundMessage("42", "Ada", "42", "It burns.", subject="").subject == ""


def test_html_that_is_too_long_is_dropped_instead_of_cut() -> None:
    message = InboundMessage("42", "Ada", "42", "It burns.", body_html="<b>" + "x" * limits.message_html_chars_max)

    assert message.body_html is None
