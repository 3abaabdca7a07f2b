"""A template shows values as people read them, and nothing of the program behind them."""

from __future__ import annotations

from typing import Any

import pytest

from models.workflow import templates

FIELDS: dict[str, Any] = {
    "product": "lamp",
    "price": {"amount": 123450, "currency": "EUR"},
    "parts": ["shade", "bulb"],
    "urgent": True,
    "count": 3,
    "empty": templates.EMPTY_NUMBER,
    "extra": {"colour": "red"},
    "items": "two",
}


def rendered(text: str, language: str = "en") -> str:
    return templates.render(text, {"fields": FIELDS, "ticket": {"number": 7}}, language)


@pytest.mark.parametrize(
    "path",
    [
        *("product.format", "product.upper", "product.join", "parts.append", "parts.copy", "price.items"),
        *("price.keys", "extra.get", "count.real", "count.bit_length", "urgent.real", "empty.hex", "values", "keys"),
        *("product.format.x", "missing.format", "extra.colour.upper"),
    ],
)
def test_an_attribute_of_a_python_object_is_empty(path: str) -> None:
    assert rendered(f"[{{{{ fields.{path} }}}}]") == "[]"


@pytest.mark.parametrize("expression", ["fields.product.format", "fields.parts.append"])
def test_a_condition_on_an_attribute_is_false(expression: str) -> None:
    assert rendered("{% if " + expression + " %}yes{% endif %}") == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{{ fields.items }}", "two"),
        ("{{ fields.price }}", "1,234.50 EUR"),
        ("{{ fields.price.amount }}", "123450"),
        ("{{ fields.parts }}", "shade, bulb"),
        ("{{ fields.urgent }}", "yes"),
        ("{{ fields.extra }}", "colour: red"),
        ("{{ fields.extra.colour }}", "red"),
        ("{{ fields.empty }}", ""),
        ("{{ fields.price | upper }}", "1,234.50 EUR"),
        ("{{ fields.parts | truncate(6) }}", "shade…"),
        ("{{ fields.missing | default('none') }}", "none"),
    ],
)
def test_a_value_is_shown_as_people_read_it(text: str, shown: str) -> None:
    assert rendered(text) == shown


def test_yes_and_no_have_the_texts_language() -> None:
    assert rendered("{{ fields.urgent }}", "ru") == "да"


@pytest.mark.parametrize("text", ["{{ fields['product']['format'] }}", "{{ fields.product[0] }}"])
def test_a_subscript_leads_to_no_attribute_either(text: str) -> None:
    assert templates.render(text, {"fields": {"product": "Widget"}}, "en") == ""
