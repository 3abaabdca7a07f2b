"""The benchmark runs and tells something of every part; how fast is no test's business."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.bench import pgbench_script
from scripts.bench.limits import QUICK
from scripts.bench.load import Load
from scripts.bench.parts import journeys, mail_parser, reply_classifier, telegram_sends
from scripts.bench.recorded import FIRST_NUMBER, NOW, Statement
from scripts.bench.report import Report
from scripts.bench.samples import Sample, Series, percentile
from scripts.sandbox.client import SandboxProcess

_ROOT = Path(__file__).parents[3]
_run_s_max = 240.0  # a quick run takes 40 s on two quiet CPUs


@pytest.mark.extended
@pytest.mark.usefixtures("postgres_server", "rabbit_server")  # left out with the others where there are none
def test_a_quick_run_measures_every_part_and_writes_it_as_json(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"

    done = subprocess.run(
        [sys.executable, "-m", "scripts.bench", "--quick", "--json", str(file)],
        cwd=_ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=_run_s_max,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    rows = json.loads(file.read_text())["rows"]
    assert {row["part"] for row in rows} == set("abcdefghijkmt")
    assert {row["verdict"] for row in rows} <= {"", "OK", "SHORT"}
    journey = next(row["figure"] for row in rows if row["part"] == "j" and "Telegram" in row["what"])
    assert re.fullmatch(r"\d+ statements in \d+ transactions: request \d+ \+ ingest_event .*send_delivery \d+", journey)


def test_an_unknown_part_is_refused_with_the_names_of_all() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.bench", "x"], cwd=_ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "expected some of a, b, c, d, desk, e, f, g, h, i, j, k, lists, m, t, whole, found x" in done.stderr


def test_the_visible_reply_is_right_in_our_whole_corpus_and_reads_a_megabyte_in_a_second() -> None:
    found = reply_classifier.measure()

    assert found["right"]["nestor"] == found["right"]["nestor, html"] == 100.0
    assert found["right"]["nothing hidden"] < 20.0
    assert min(found["speed"].values()) > 0.5  # half of the target: others may use the machine


def test_mails_are_measured_by_number_and_by_memory() -> None:
    found = mail_parser.measure()

    assert found["per_s"].keys() == {"1 KB", "100 KB", "25 MB"}
    assert found["per_s"]["1 KB"] > 20  # a hundred times slower than where it was written
    assert found["peak_mb"]["25 MB"] < 2 * found["size_mb"]["25 MB"]  # with the mail itself: three times


def test_sends_to_telegram_are_counted_and_a_refused_one_ends_the_sample() -> None:
    report = Report()
    with SandboxProcess() as sandbox:
        telegram_sends.measure(sandbox, QUICK, report)
        sandbox.fail("403", method="sendMessage", times=1_000)
        with pytest.raises(RuntimeError, match="not accepted: permanent"):
            telegram_sends.measure(sandbox, QUICK, Report())

    assert [row.part for row in report.rows] == ["t"] * 3
    assert all(row.samples[0]["per_s"] > 1 for row in report.rows)


def test_what_differs_between_two_requests_varies_in_the_pgbench_script_and_the_rest_is_kept() -> None:
    text = "INSERT INTO t (id, number, at, title, kind) VALUES (%(id)s, %(number)s, %(at)s, %(title)s, %(kind)s)"

    def statement(id_: str, number: int, title: str) -> list[Statement]:
        return [Statement(text, {"id": id_, "number": number, "at": NOW, "title": title, "kind": "a 'quoted' one"})]

    script = pgbench_script.script(
        statement("01900000-0000-7000-8000-000000000001", FIRST_NUMBER, "one"),
        statement("01900000-0000-7000-8000-000000000002", FIRST_NUMBER + 1, "two"),
    )

    insert = next(line for line in script.splitlines() if line.startswith("INSERT"))
    assert "':bench_n-:bench_c-7000-8000-000000000000', :bench_number, now(), '1:bench_n:bench_c'" in insert
    assert insert.endswith("'a ''quoted'' one');")


def test_the_load_generator_counts_answers_and_refuses_to_praise_failures() -> None:
    with SandboxProcess() as sandbox:
        port = int(sandbox.control_url.rsplit(":", 1)[1])
        good = Load(port, "/outbox", "", 2, method="GET", requests=20).run()
        bad = Load(port, "/nowhere", "", 1, method="GET", requests=1).run()

    good.check()
    assert good.statuses == {"200": 20}
    assert len(good.latencies_ms) == 20
    with pytest.raises(RuntimeError, match="404"):
        bad.check()


def test_a_sample_that_others_disturbed_counts_only_when_none_was_quiet() -> None:
    quiet, disturbed = Sample({"ms": 1.0}, foreign=0.01), Sample({"ms": 9.0}, foreign=0.6)

    assert Series([quiet, disturbed, disturbed]).median("ms") == 1.0
    assert not Series([quiet, disturbed]).disturbed
    assert Series([disturbed]).median("ms") == 9.0
    assert Series([disturbed]).disturbed


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(n) for n in range(100, 0, -1)]

    assert percentile(values, 0.50) == 51.0
    assert percentile(values, 0.99) == 100.0


class _Database:
    def execute_sql(self, statement: str) -> str:
        return statement

    def commit(self) -> None:
        pass


def test_statements_are_counted_in_the_stage_that_executes_them() -> None:
    database = _Database()
    counter = journeys.Counter(database)
    stages: journeys.Stages = {}

    database.execute_sql("SELECT 'before every stage'")
    with counter.stage(stages, "request"):
        database.execute_sql("SELECT 1")
        database.commit()
    for _ in range(2):
        with counter.stage(stages, "task"):
            database.execute_sql("SELECT 2")

    assert stages == {"request": (1, 1), "task": (2, 0)}
