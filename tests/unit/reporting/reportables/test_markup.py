import pytest

from curifactory.errors import ReportError
from curifactory.reporting import HTMLReporter


def test_markup_goes_in_as_it_is(tmp_path):
    fragment = HTMLReporter(["<b>one</b>", "<i>two</i>"], name="note").to_fragment(str(tmp_path), "note")
    assert fragment.data == {"html": "<b>one</b>\n<i>two</i>"}


@pytest.mark.parametrize("value", [3, None, [1, 2]])
def test_what_is_no_markup_is_refused_at_once(value):
    with pytest.raises(ReportError, match="HTMLReporter"):
        HTMLReporter(value)
