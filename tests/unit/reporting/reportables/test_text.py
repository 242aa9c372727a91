import pytest

from curifactory.errors import ReportError
from curifactory.reporting import MarkdownReporter, TextReporter


def test_text_is_kept_with_its_spaces(tmp_path):
    text = "  two\n\n\ttabs  \n"
    fragment = TextReporter(text).to_fragment(str(tmp_path), "note")
    assert (fragment.kind, fragment.data, fragment.files) == ("text", {"text": text, "cut": False}, ())


def test_a_path_is_read_and_its_name_tells_the_language(tmp_path):
    (tmp_path / "model.py").write_text("n = 'é'\n", encoding="utf-8")
    data = TextReporter(tmp_path / "model.py").to_fragment(str(tmp_path), "code").data
    assert (data["text"], data["language"]) == ("n = 'é'\n", "py")


def test_a_file_that_is_no_utf_8_is_shown_all_the_same(tmp_path):
    (tmp_path / "old.txt").write_bytes(b"caf\xe9")
    assert TextReporter(tmp_path / "old.txt").to_fragment(str(tmp_path), "old").data["text"] == "caf\\xe9"


@pytest.mark.parametrize(("reporter", "file"), [(TextReporter, "long.txt"), (MarkdownReporter, "long.md")])
def test_a_long_text_lies_whole_beside_its_beginning(tmp_path, reporter, file):
    text = "word " * 40_000
    fragment = reporter(text).to_fragment(str(tmp_path), "long")
    assert fragment.files == (file,)
    assert fragment.data["cut"]
    assert len(fragment.data["text"]) == 100_000
    assert (tmp_path / file).read_text() == text


def test_secrets_in_a_text_are_masked(tmp_path):
    shown = TextReporter("api_key = 'hunter2'").to_fragment(str(tmp_path), "x").data["text"]
    assert "hunter2" not in shown


@pytest.mark.parametrize(
    ("given", "message"), [(5, "was given int, not text"), (None, "was given NoneType, not text")]
)
def test_what_is_no_text_is_refused(tmp_path, given, message):
    with pytest.raises(ReportError, match=message):
        MarkdownReporter(given).to_fragment(str(tmp_path), "x")


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(ReportError, match="could not be read"):
        TextReporter(tmp_path / "gone.txt").to_fragment(str(tmp_path), "x")
