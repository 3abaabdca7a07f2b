"""Plug-ins of every test: the servers and the account of a run (tests/services), the desk (tests/fixtures_desk.py)."""

from importlib.util import find_spec

from hypothesis import settings

pytest_plugins = [
    "tests.services.pytest_times",
    "tests.services.pytest_services",
    "tests.services.pytest_evidence",
    "tests.services.pytest_extended",
]
if find_spec("tests.fixtures_desk") is not None:
    pytest_plugins.append("tests.fixtures_desk")

# An example that waits 0.2 s for its turn on a busy machine is no bug. Tests that bound a time measure the process's
# own.
settings.register_profile("nestor", deadline=None)
settings.load_profile("nestor")
