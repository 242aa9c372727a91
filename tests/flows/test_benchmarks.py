"""Every benchmark runs at its smallest size, and the table says what it should; no time is judged here."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GROUPS = ("start_up", "calls", "hashing", "scale", "values", "metrics", "reports", "browser", "parallel")
ROWS_AT_LEAST = {
    "start_up": {
        "start_up.import",
        "start_up.help",
        "start_up.ls",
        "start_up.runs",
        "start_up.whole_reused",
        "start_up.map",
    },
    "calls": {"calls.live", "calls.hit", "calls.write", "calls.bytes"},
    "hashing": {"hashing.flat", "hashing.nested", "hashing.array", "hashing.code", "hashing.read"},
    "scale": {"scale.first_2", "scale.reused_4", "scale.exponent_reused", "scale.memory", "scale.map"},
    "values": {"values.array_save", "values.array_lazy", "values.frame_save"},
    "metrics": {"metrics.log", "metrics.durable", "metrics.bytes", "metrics.read", "metrics.filter"},
    "reports": {"reports.plots_first", "reports.plots_reused", "reports.page_300", "reports.index"},
    "browser": {"browser.weight", "browser.report", "browser.page"},
    "parallel": {"parallel.even", "parallel.short", "parallel.processes", "parallel.memory"},
}


def run_benchmarks(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.bench", *words, "--tiny", "--folder", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_of_benchmarks_measures_its_rows(group: str, tmp_path: Path) -> None:
    if group == "values":
        pytest.importorskip("pyarrow")
    done = run_benchmarks(group, "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)["figures"]
    assert {figure["row"] for figure in figures} >= ROWS_AT_LEAST[group]
    assert all(math.isfinite(figure["ours"]) for figure in figures)
    assert list(tmp_path.iterdir()) == []


def test_one_row_alone_is_measured_and_shown_as_a_table(tmp_path: Path) -> None:
    done = run_benchmarks("hashing.array", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("|")]
    assert [cell.strip() for cell in lines[0].split("|")[1:5]] == ["row", "what", "floor", "ours"]
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["hashing.array"]


def test_a_row_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    done = run_benchmarks("speed", folder=tmp_path)
    assert done.returncode == 2
    assert "No rows speed" in done.stderr
