"""What every test shares: the servers (tests/services) and the desk (tests/fixtures_desk.py)."""

from importlib.util import find_spec

from hypothesis import settings

pytest_plugins = ["tests.services.pytest_services"]
if find_spec("tests.fixtures_desk") is not None:
    pytest_plugins.append("tests.fixtures_desk")

# An example that waits 0.2 s for its turn on a busy machine is no bug. Tests that bound a time measure the process's own.
settings.register_profile("nestor", deadline=None)
settings.load_profile("nestor")
