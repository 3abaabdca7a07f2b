"""Late imports and type information, when several threads need them at the same moment."""

from __future__ import annotations

import gc
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, make_dataclass
from functools import partial
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from models.kernel import imports, type_info

_wait_s = 20.0
_names = iter(f"late_{number}" for number in range(1000))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """Writes a package that can be imported, and forgets it after the test."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made: list[str] = []

    def write(**files: str) -> str:
        name = next(_names)
        folder = tmp_path / name
        folder.mkdir()
        for file, text in {"__init__": "", **files}.items():
            (folder / f"{file}.py").write_text(textwrap.dedent(text).replace("PACKAGE", name))
        made.append(name)
        return name

    yield write
    for name in [one for one in sys.modules if one.partition(".")[0] in made]:
        del sys.modules[name]


def at_once(*work: Callable[[], ModuleType]) -> list[ModuleType]:
    ready = threading.Barrier(len(work))

    def run(one: Callable[[], ModuleType]) -> ModuleType:
        ready.wait(_wait_s)
        return one()

    with ThreadPoolExecutor(len(work)) as pool:
        return [future.result(_wait_s) for future in [pool.submit(run, one) for one in work]]


def test_threads_that_enter_a_package_at_different_places_all_get_it_complete(
    package: Callable[..., str],
) -> None:
    """A package imports its module, the module its package: by bare imports, one of the threads gets a _DeadlockError
    now and then.
    """
    for _ in range(20):
        name = package(
            __init__="""
                import time
                time.sleep(0.002)
                import PACKAGE.part
                whole = True
            """,
            part="""
                import PACKAGE
                whole = True
            """,
        )

        found = at_once(*[partial(imports.load, name), partial(imports.load, f"{name}.part")] * 4)

        assert [module.whole for module in found] == [True] * 8


def test_a_module_that_is_loaded_late_has_its_type_information_before_a_thread_gets_it(
    package: Callable[..., str],
) -> None:
    name = package(
        part="""
            import msgspec

            class Late(msgspec.Struct):
                number: int
        """
    )

    found = at_once(*[lambda: imports.load(f"{name}.part")] * 8)

    assert len({id(module) for module in found}) == 1
    assert type_info.is_built(found[0].Late)


def test_an_import_that_failed_is_tried_again(package: Callable[..., str], tmp_path: Path) -> None:
    name = package(part="raise ImportError('not yet')")

    with pytest.raises(ImportError, match="not yet"):
        imports.load(f"{name}.part")
    (tmp_path / name / "part.py").write_text("now = 'it works, and the file has another length'")

    assert imports.load(f"{name}.part").now


def test_a_package_with_a_module_that_cannot_be_imported_is_not_half_loaded_in_silence(
    package: Callable[..., str],
) -> None:
    name = package(good="", bad="raise ImportError('no such library')")

    with pytest.raises(ImportError, match="no such library"):
        imports.load_all(name)


def test_a_dataclass_is_built_when_it_is_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass
    class Given:
        number: int

    monkeypatch.setattr(type_info, "_declared", [])
    type_info.declare(Given)

    assert type_info.build() >= 1
    assert type_info.is_built(Given)
    assert type_info.build() == 0


def test_a_type_that_cannot_be_decoded_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """msgspec refuses a union of two Structs without tags at the first decoding; now that is at the start."""

    class One(msgspec.Struct):
        number: int

    class Other(msgspec.Struct):
        text: str

    bad = make_dataclass("bad", [("either", One | Other)])
    monkeypatch.setattr(type_info, "_declared", [bad])

    with pytest.raises(TypeError):
        type_info.build()
    assert not type_info.is_built(bad)


@pytest.mark.parametrize("error", [RuntimeError("deadlock"), AttributeError("no attribute"), ValueError("import")])
def test_other_errors_are_no_failed_imports(error: Exception) -> None:
    assert not imports.failed(error)


def test_a_start_pauses_the_collector_and_exempts_what_it_imports_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "_started", False)
    before = gc.get_freeze_count()
    try:
        with imports.at_start():
            during = gc.isenabled()
            kept: list[list[int]] = [[] for _ in range(1000)]
        frozen = gc.get_freeze_count()
        with imports.at_start():
            again = gc.isenabled()
    finally:
        gc.unfreeze()

    assert (during, again, gc.isenabled()) == (False, True, True)
    assert frozen - before >= len(kept)


def test_a_start_that_fails_leaves_the_collector_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "_started", False)
    try:
        with pytest.raises(ImportError), imports.at_start():
            raise ImportError("no module")
    finally:
        gc.unfreeze()

    assert gc.isenabled()
