import base64
import re

import pytest

from curifactory.errors import StoreError
from curifactory.reporting.display import display_info, display_reportables, display_stage_graph


def names_in(shown):
    return re.findall(r'<h\d class="cf-name">([^<]*)</h\d>', shown._repr_html_())


def test_the_head_shows_itself(iris):
    shown = display_info(iris.write())
    assert repr(shown) == f"<run {iris.reference}>"
    assert "experiment iris -p iris" in shown._repr_html_()


def test_reportables_can_be_all_or_some(iris):
    folder = iris.write()
    assert names_in(display_reportables(folder)) == ["scores", "confusion", "confusion", "settings"]
    assert names_in(display_reportables(folder, group="comparison")) == ["scores"]
    assert names_in(display_reportables(folder, record=1)) == ["confusion"]
    assert names_in(display_reportables(folder, stage="compare_models")) == ["scores", "settings"]


def test_images_are_part_of_what_is_shown(iris, maker):
    shown = display_reportables(iris.write(), record=0)._repr_html_()
    assert f"data:image/png;base64,{base64.b64encode(maker.PIXEL).decode()}" in shown
    assert "/files/" not in shown


def test_nothing_links_to_what_a_notebook_does_not_have(iris):
    folder = iris.write()
    for shown in (display_info(folder), display_reportables(folder), display_stage_graph(folder)):
        assert 'href="' not in shown._repr_html_()


def test_that_nothing_was_reported_is_said(iris, empty_run):
    assert "Nothing was reported in stage zzz." in display_reportables(iris.write(), stage="zzz").html
    empty_run.number = 9
    assert "Nothing was reported yet." in display_reportables(empty_run.write()).html


def test_the_graph_shows_itself(iris):
    shown = display_stage_graph(iris.write())
    assert "<svg" in shown.html
    assert "train_model" in shown.html


def test_an_image_that_is_gone_is_said_in_its_place(iris):
    iris.files.clear()
    assert "The file confusion.png is missing." in display_reportables(iris.write(), record=0).html


def test_what_is_no_run_is_an_error(tmp_path):
    with pytest.raises(StoreError):
        display_info(tmp_path)
