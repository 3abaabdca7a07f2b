"""What every test shares: the servers (tests/services) and the desk (tests/fixtures_desk.py)."""

from importlib.util import find_spec

pytest_plugins = ["tests.services.pytest_services"]
if find_spec("tests.fixtures_desk") is not None:
    pytest_plugins.append("tests.fixtures_desk")
