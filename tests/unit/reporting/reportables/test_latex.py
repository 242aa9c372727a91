import pandas as pd
import pytest

from curifactory.errors import ReportError
from curifactory.reporting import LatexTableReporter


def test_the_text_is_shown_and_lies_in_a_file(tmp_path):
    table = LatexTableReporter(pd.DataFrame({"n": [1]}), name="sizes", hrules=True, caption="Sizes.")
    fragment = table.to_fragment(str(tmp_path), "sizes")
    assert fragment.kind == "latex"
    assert "\\toprule" in fragment.data["text"]
    assert (tmp_path / "sizes.tex").read_text(encoding="utf-8") == fragment.data["text"]
    assert fragment.caption == "Sizes."
    assert "\\caption{Sizes.}" in fragment.data["text"]


def test_of_a_long_and_a_short_caption_the_long_one_is_shown():
    assert LatexTableReporter(pd.DataFrame(), caption=("All the sizes.", "Sizes")).caption == "All the sizes."


def test_something_else_is_an_error(tmp_path):
    with pytest.raises(ReportError, match="was given list"):
        LatexTableReporter([1]).to_fragment(str(tmp_path), "0")
