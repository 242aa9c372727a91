import json
import subprocess
import sys

import numpy as np
import pytest

from curifactory.errors import ReportError
from curifactory.reporting import PlotlyReporter


def test_a_figure_of_plotly_is_kept_as_its_description(tmp_path):
    objects = pytest.importorskip("plotly.graph_objects")
    figure = objects.Figure(objects.Scatter(x=[1, 2], y=np.array([3.5, 4.5])))
    figure.update_layout(title="Growth", height=300)
    fragment = PlotlyReporter(figure, name="growth").to_fragment(str(tmp_path), "growth")
    assert (fragment.kind, fragment.files) == ("plotly", ("growth.json",))
    assert fragment.data == {"height": 300, "title": "Growth", "alt": None}
    described = json.loads((tmp_path / "growth.json").read_text())
    assert described["data"][0]["x"] == [1, 2]


def test_the_script_is_not_in_any_figure(tmp_path):
    objects = pytest.importorskip("plotly.graph_objects")
    for number in range(3):
        PlotlyReporter(objects.Figure()).to_fragment(str(tmp_path), f"figure_{number}")
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 60_000


def test_a_dictionary_needs_no_plotly(tmp_path):
    code = (
        "import sys; from curifactory.reporting import PlotlyReporter as P; "
        f"P({{'data': [{{'y': [1, 2]}}]}}).to_fragment({str(tmp_path)!r}, 'x'); print('plotly' in sys.modules)"
    )
    import os

    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("given", "height"), [(None, 420), (5, 120), (1e9, 4000), ("tall", 420), (float("nan"), 420)]
)
def test_heights_stay_within_bounds(tmp_path, given, height):
    figure = {"data": [], "layout": {"height": given}}
    assert PlotlyReporter(figure).to_fragment(str(tmp_path), "x").data["height"] == height


@pytest.mark.parametrize(
    ("given", "message"), [(5, "was given int, not a plotly figure"), ({"layout": {}}, "has a list 'data'")]
)
def test_what_is_no_figure_is_refused(tmp_path, given, message):
    with pytest.raises(ReportError, match=message):
        PlotlyReporter(given).to_fragment(str(tmp_path), "x")
