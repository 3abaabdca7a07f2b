"""Imports go one way: functions -> queues (publishing and ingress) -> models -> kernel."""

from __future__ import annotations

from collections.abc import Iterable

from tests.architecture.code import REPOSITORY, Module, modules, within

TRANSPORTS = (
    "falcon",
    "gunicorn",
    "pika",
    "dramatiq",
    "apscheduler",
    "telegram",
    "smtplib",
    "requests",
    "httpx",
)
# The modules of queues that a function may import: to wake workers, sweep, record events, show the backlog,
# and ask the OpenID provider.
DOORS = (
    "queues.broker",
    "queues.wakeups.publisher",
    "queues.sweep",
    "queues.pulling.accounts",
    "queues.processes.monitor",
    "queues.outside.safe_http",
    "queues.channels",
    "queues.channel_port",
    "queues.people_index",  # whose the waiting events are, which an erasure has to know at once
)


def offences(checked: Iterable[Module], *forbidden: str, allowed: tuple[str, ...] = ()) -> list[str]:
    return [
        f"{module.at(line)} imports {name}"
        for module in checked
        for line, name in module.imports()
        if within(name, *forbidden) and not within(name, *allowed)
    ]


def test_the_domain_knows_neither_http_nor_a_broker_nor_a_provider() -> None:
    """Rules that import a transport can only be tested, changed and slept with that transport."""
    assert offences(modules("models"), "functions", "queues", "scripts", "tests", *TRANSPORTS) == []


def test_the_kernel_imports_nothing_of_ours() -> None:
    """Everything imports the kernel, so what it imports is paid for by every cold start, and can close a cycle."""
    # `from models.kernel import clock` names the package `models.kernel` and the module; both are the kernel's.
    own = ("models", "queues", "functions", "scripts", "tests")

    assert offences(modules("models/kernel"), *own, allowed=("models.kernel",)) == []


def test_queues_know_nothing_of_functions() -> None:
    """A worker that needs a function's code would carry HTTP along, and the two could no longer be deployed alone."""
    assert offences(modules("queues"), "functions", "scripts", "tests", "falcon", "gunicorn") == []


def test_functions_use_queues_only_to_publish_and_to_take_in() -> None:
    """An actor or a sender inside a function is a provider's SDK in its cold start."""
    taken = offences(modules("functions"), "queues", allowed=DOORS)

    # `from queues.wakeups import publisher as wakeups` also names the package itself, which is empty.
    assert [
        line
        for line in taken
        if not line.endswith(
            ("imports queues", "imports queues.outside", "imports queues.pulling", "imports queues.wakeups")
        )
    ] == []
    assert offences(modules("functions"), "scripts", "tests") == []


def test_functions_take_only_ingress_from_the_channels() -> None:
    """Parsing and sending are a worker's work; a channel's declaration imports each part at its first use.

    The console shows agents' Markdown by the parser that the channels send it with, or people would see two texts.
    """
    taken = offences(modules("functions"), "queues.channels", allowed=())
    shared = ("imports queues.channels", "imports queues.channels.markdown")

    assert [line for line in taken if not line.endswith(shared)] == []


def test_no_function_imports_another() -> None:
    """Each is deployed, scaled and put to sleep alone."""
    packages = sorted(
        {m.name.split(".")[1] for m in modules("functions") if m.name.count(".") >= 2} - {"http", "views"}
    )
    assert packages, "the functions are packages below functions/"

    for package in packages:
        others = tuple(f"functions.{other}" for other in packages if other != package)
        assert offences(modules(f"functions/{package}"), *others) == []
    shared = [m for m in modules("functions") if not within(m.name, *(f"functions.{p}" for p in packages))]
    assert offences(shared, *(f"functions.{p}" for p in packages)) == []


def test_no_channel_imports_another() -> None:
    """Adding or dropping a channel touches its folder and nothing else."""
    channels = sorted({m.name.split(".")[2] for m in modules("queues/channels") if m.path.parent.name != "channels"})
    assert channels, "each channel is a folder"

    for channel in channels:
        others = tuple(f"queues.channels.{other}" for other in channels if other != channel)
        assert offences(modules(f"queues/channels/{channel}"), *others) == []


def test_channels_do_not_reach_into_the_domains_commands() -> None:
    """An adapter translates; what its message means is decided by the domain, in the actor's transaction."""
    written = [
        f"{module.at(line)} imports {name}"
        for module in modules("queues/channels")
        for line, name in module.imports()
        if within(name, "models") and name.split(".")[-1] in ("commands", "queries", "tables")
    ]

    assert written == []


def test_shipped_code_does_not_need_the_tests_packages() -> None:
    """The image installs requirements.txt only. The benchmark is for a checkout: it measures on the tests' private
    servers.
    """
    shipped = [module for module in modules() if not within(module.name, "scripts.bench")]

    assert offences(shipped, "pytest", "hypothesis", "schemathesis", "tests") == []


def test_only_the_sandbox_needs_a_package_of_the_demo() -> None:
    """The image installs requirements.txt, which has none of them."""
    lines = (REPOSITORY / "requirements-demo.txt").read_text(encoding="utf-8").splitlines()
    packages = [line.partition("==")[0] for line in lines if "==" in line]
    others = [module for module in modules() if not within(module.name, "scripts.sandbox", "tests")]

    installed = (REPOSITORY / "requirements.txt").read_text(encoding="utf-8")
    assert packages == ["aiosmtpd"]
    assert [name for name in packages if name in installed] == []
    assert offences(others, *packages) == []


def test_reading_and_replies_of_mail_are_like_packages_of_their_own() -> None:
    """They know mail, not the desk: bounds and text helpers are all of ours that they import."""
    helpers = (
        "models.kernel.limits",
        "queues.channels.email.limits",
        "models.kernel.text",
        "queues.channels.html_text",
    )
    packages = ("imports models.kernel", "imports queues.channels", "imports queues.channels.email")

    for room in ("reading", "replies"):
        package = f"queues.channels.email.{room}"
        taken = offences(modules(f"queues/channels/email/{room}"), "models", "queues", allowed=(package, *helpers))

        # `from models.kernel import limits` also names the package itself.
        assert [line for line in taken if not line.endswith(packages)] == []


def test_the_gateway_finds_tickets_by_the_callers_sight() -> None:
    """`models.tickets.queries.find` knows no caller; an operation that used it would show hidden tickets."""
    wrong = [
        f"{module.at(line)} {name}"
        for module in modules("functions")
        for line, name in module.imports()
        if name.startswith("models.tickets.queries")
    ]

    assert wrong == []
