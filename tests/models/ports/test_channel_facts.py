"""Facts of channels: read once, from the channel that is asked about only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from models.kernel.errors import Conflict
from models.ports import channel_facts
from models.ports.channel_facts import ChannelFacts
from queues import channels

DECLARED = {
    "chat": ChannelFacts(title="Chat", deep_link=lambda config, token: f"chat:{config['bot']}?{token}"),
    "post": ChannelFacts(title="Post", addresses_are_emails=True, addresses_fold_case=True),
}


@pytest.fixture
def read() -> Iterator[list[str]]:
    """The names of the channels whose facts were read, in order."""
    asked: list[str] = []

    def facts(channel: str) -> ChannelFacts:
        asked.append(channel)
        return DECLARED[channel]

    channel_facts.register(lambda: DECLARED, facts)
    yield asked
    channel_facts.register(channels.names, channels.facts)


def test_a_channels_facts_are_read_once_and_no_other_channels_are(read: list[str]) -> None:
    assert channel_facts.of("post").title == "Post"
    assert channel_facts.of("post").addresses_fold_case

    assert read == ["post"]


def test_a_name_that_is_no_channel_has_the_defaults(read: list[str]) -> None:
    assert channel_facts.of("api") == ChannelFacts()
    assert channel_facts.of("a channel that was removed") == ChannelFacts()
    assert read == []


def test_channels_are_found_by_what_they_declare(read: list[str]) -> None:
    assert channel_facts.with_emails() == "post"
    assert channel_facts.with_deep_links() == "chat"


def test_without_a_channel_for_it_there_is_no_link_and_no_mail() -> None:
    channel_facts.register(lambda: ["bare"], lambda channel: ChannelFacts())
    try:
        assert channel_facts.with_deep_links() is None
        with pytest.raises(Conflict):
            channel_facts.with_emails()
    finally:
        channel_facts.register(channels.names, channels.facts)


def test_a_process_without_channels_gets_an_error_and_no_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel_facts, "_registered", [])
    monkeypatch.setattr(channel_facts, "_known", {})

    with pytest.raises(RuntimeError, match=r"queues\.channels"):
        channel_facts.of("post")


@pytest.mark.parametrize(("address", "form"), [(" Ada@Example.TEST ", "ada@example.test"), ("A\x00b", "ab")])
def test_addresses_that_fold_case_compare_in_lower_case(address: str, form: str) -> None:
    assert DECLARED["post"].comparable(address) == form


def test_other_addresses_keep_their_case() -> None:
    assert DECLARED["chat"].comparable(" AbC ") == "AbC"


def test_exactly_one_channel_of_the_desk_has_mail_addresses() -> None:
    declared = [name for name in channels.names() if channels.facts(name).addresses_are_emails]

    assert len(declared) == 1


def test_every_channel_of_the_desk_has_a_title() -> None:
    assert [name for name in sorted(channels.names()) if not channels.facts(name).title] == []
