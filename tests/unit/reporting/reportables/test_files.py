import pytest

from curifactory.errors import ReportError
from curifactory.reporting import AudioReporter, FileReporter, VideoReporter


def test_a_file_is_copied_when_it_is_reported(tmp_path):
    source = tmp_path / "Measurements.ODS"
    source.write_bytes(b"12345")
    reportable = FileReporter(source)
    fragment = reportable.to_fragment(str(tmp_path), "measurements")
    source.unlink()
    assert (fragment.name, fragment.kind, fragment.files) == (
        "Measurements.ODS",
        "file",
        ("measurements.ods",),
    )
    assert fragment.data == {"size_bytes": 5, "file_name": "Measurements.ODS"}
    assert (tmp_path / "measurements.ods").read_bytes() == b"12345"


@pytest.mark.parametrize(
    ("reporter", "file", "kind"), [(VideoReporter, "a.webm", "video"), (AudioReporter, "a.opus", "audio")]
)
def test_what_browsers_play_is_played(tmp_path, reporter, file, kind):
    (tmp_path / file).write_bytes(b"1")
    assert reporter(tmp_path / file).to_fragment(str(tmp_path), "x").kind == kind


@pytest.mark.parametrize(("reporter", "what"), [(VideoReporter, "a video"), (AudioReporter, "audio")])
def test_what_no_browser_plays_is_refused(tmp_path, reporter, what):
    with pytest.raises(ReportError, match=f"No browser shows '.*x.avi' as {what}"):
        reporter(tmp_path / "x.avi").to_fragment(str(tmp_path), "x")


def test_a_missing_file_is_an_error_that_says_where_it_was_looked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ReportError, match=r"'gone\.txt' could not be copied") as raised:
        FileReporter("gone.txt").to_fragment(str(tmp_path), "x")
    assert str(tmp_path) in raised.value.hint
