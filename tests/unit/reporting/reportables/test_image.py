import pytest

from curifactory.errors import ReportError
from curifactory.reporting import ImageReporter


def test_the_image_is_copied_when_it_is_reported(tmp_path):
    image, folder = tmp_path / "Leaf.PNG", tmp_path / "fragments"
    image.write_bytes(b"pixels")
    folder.mkdir()
    fragment = ImageReporter(image, name="leaf").to_fragment(str(folder), "leaf_0")
    image.unlink()
    assert (fragment.name, fragment.kind, fragment.files) == ("leaf", "image", ("leaf_0.png",))
    assert (folder / "leaf_0.png").read_bytes() == b"pixels"


def test_a_missing_image_is_an_error_that_says_where_it_was_looked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ReportError, match=rf"'leaf.png' could not be copied: No such file.*from {tmp_path}"):
        ImageReporter("leaf.png").to_fragment(str(tmp_path), "0")


def test_a_format_that_no_browser_shows_is_an_error(tmp_path):
    with pytest.raises(ReportError, match=r"No browser shows 'scan.tiff'.*\.png"):
        ImageReporter("scan.tiff").to_fragment(str(tmp_path), "0")
