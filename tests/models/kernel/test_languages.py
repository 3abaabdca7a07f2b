"""Language tags and the choice of a text (RFC 5646 section 2.1, RFC 4647 section 3.4)."""

from __future__ import annotations

import pytest

from models.kernel import languages, names


@pytest.mark.parametrize(
    "tag",
    [
        "en",
        "pt-BR",
        "de-CH-1901",
        "zh-Hans-CN",
        "sl-rozaj-biske",
        "es-419",
        "en-a-myext-b-another",
        "de-x-phonebk",
        "x-klingon",
    ],
)
def test_a_well_formed_tag_is_accepted(tag: str) -> None:
    assert languages.is_tag(tag)


@pytest.mark.parametrize("tag", ["", "e", "en_US", "en-", "-en", "en\n", "a-DE", "en us", "de-" + "a1b2c" * 8])
def test_another_text_is_no_tag(tag: str) -> None:
    assert not languages.is_tag(tag)


@pytest.mark.parametrize(
    ("wanted", "tag"),
    [
        (("de-AT",), "de"),
        (("DE-at",), "de"),
        (("pt",), "pt-BR"),
        (("pt-PT",), "pt-BR"),
        (("zh-Hant-TW",), "zh-Hant"),
        (("fr", "de"), "de"),
        ((None, "", "de"), "de"),
        (("fr",), "en"),
        ((), "en"),
    ],
)
def test_a_reader_gets_the_closest_text(wanted: tuple[str | None, ...], tag: str) -> None:
    assert languages.chosen(["en", "de", "pt-BR", "zh-Hans", "zh-Hant"], *wanted) == tag


@pytest.mark.parametrize(
    ("text", "tag", "copied"),
    [
        ("Open", "ru", True),
        ("Открыта", "ru", False),
        ("Open API", "uk", True),
        ("VPN нужен", "ru", False),
        ("OK", "ja", False),
        ("Otvoreno", "sr-Latn", False),
        ("Open", "de", False),
    ],
)
def test_a_text_in_the_letters_of_another_language_is_a_copy(text: str, tag: str, copied: bool) -> None:
    assert languages.is_foreign_copy(text, tag) is copied


@pytest.mark.parametrize("name", ["open", "größe", "срочно", "名前", "हिन्दी", "schritt_2"])
def test_a_name_may_be_in_any_script(name: str) -> None:
    assert names.is_name(name)


@pytest.mark.parametrize("name", ["", "Offen", "ГОТОВО", "_a", "2a", "a b", "a-b", "a\n", "cafe\u0301", "a" * 42])
def test_another_text_is_no_name(name: str) -> None:
    assert not names.is_name(name)


def test_a_tag_is_stored_in_one_form() -> None:
    assert names.folded("Cafe\u0301") == names.folded("café") == "café"
