import json
import os
from pathlib import Path

import pytest

from curifactory.reporting import shared_scripts
from curifactory.reporting.report import draw_report
from curifactory.reporting.shared_scripts import find_plotly, share_plotly

FIGURE = json.dumps({"data": [{"y": [1, 2], "name": "</script><script>alert(1)</script>\u2028"}]}).encode()


def add_figure(run, name="chart", record=0):
    run.report(record, None, name, "plotly", {"height": 300}, files={f"{name}.json": FIGURE})


def log_curve(run, record=0):
    for step in range(3):
        run.log_metrics(record, None, loss=1 / (step + 1))
        run.metrics[-1]["step"] = step


def test_the_script_of_charts_comes_from_plotlys_package_and_says_its_version(tmp_path):
    address = share_plotly(str(tmp_path))
    folder, name = address.split("/")
    assert folder == "_assets"
    assert name.startswith("plotly-")
    assert name.endswith(".min.js")
    assert name[7].isdigit()
    assert (tmp_path / address).read_bytes() == Path(find_plotly()).read_bytes()
    assert os.listdir(tmp_path / folder) == [name]


def test_the_script_is_copied_once(tmp_path):
    path = tmp_path / share_plotly(str(tmp_path))
    before = path.stat().st_mtime_ns, path.stat().st_ino
    share_plotly(str(tmp_path))
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before


def test_half_a_script_is_replaced(tmp_path):
    path = tmp_path / share_plotly(str(tmp_path))
    path.write_bytes(path.read_bytes()[:1000])
    share_plotly(str(tmp_path))
    assert path.stat().st_size == os.path.getsize(find_plotly())


def test_a_thousand_figures_share_one_script(empty_run, tmp_path):
    empty_run.add_record("a")
    for number in range(100):
        add_figure(empty_run, f"chart_{number}")
    page = draw_report(empty_run.write(), tmp_path / "reports")
    scripts = list((tmp_path / "reports").rglob("plotly*.js"))
    assert len(scripts) == 1
    assert page.read_text().count("plotly-") == 1
    assert page.stat().st_size < 150_000


def test_a_figure_is_text_in_its_script(empty_run, tmp_path):
    empty_run.add_record("a")
    add_figure(empty_run)
    page = draw_report(empty_run.write(), tmp_path / "reports")
    script = (page.parent / "fragments" / "record-0" / "chart.json.js").read_text()
    assert script.isascii()
    address, _, text = script.removeprefix("(window.curifactoryFigures ??= {})[").partition("] = ")
    assert json.loads(address) == "fragments/record-0/chart.json.js"
    assert json.loads(text.rstrip(";\n")).encode() == FIGURE


def test_a_page_without_charts_takes_no_script(empty_run, tmp_path):
    record = empty_run.add_record("a")
    empty_run.log_metrics(record, None, loss=1)
    empty_run.report(record, None, "note", "text", {"text": "x"})
    page = draw_report(empty_run.write(), tmp_path / "reports")
    assert not (tmp_path / "reports" / "_assets").exists()
    assert not (page.parent / "reportables.js").exists()
    assert "plotly" not in page.read_text()


def test_curves_lie_in_a_script_beside_the_page(empty_run, tmp_path):
    empty_run.add_record("a")
    log_curve(empty_run)
    page = draw_report(empty_run.write(), tmp_path / "reports")
    assert (page.parent / "curves.js").read_text().startswith("window.curifactoryCurves = [")
    text = page.read_text()
    assert '<script src="curves.js" defer></script>' in text
    assert "<polyline" in text
    assert "unsafe-eval" not in text


def test_without_plotly_the_values_are_there_all_the_same(empty_run, tmp_path, monkeypatch):
    monkeypatch.setattr(shared_scripts, "find_plotly", lambda: None)
    empty_run.add_record("a")
    log_curve(empty_run)
    text = draw_report(empty_run.write(), tmp_path / "reports").read_text()
    assert "data-plotly" not in text
    assert "<polyline" in text


@pytest.mark.parametrize("experiment", ["iris", "vision/iris"])
def test_the_script_is_found_from_every_depth(maker, tmp_path, experiment):
    run = maker.RunFolder(tmp_path / "runs", experiment)
    run.add_record("a")
    add_figure(run)
    page = draw_report(run.write(), tmp_path / "reports")
    address = page.read_text().split('data-plotly="')[1].split('"')[0]
    assert (page.parent / address).is_file()
