import numpy as np
import pytest
from PIL import Image

from curifactory.errors import ReportError
from curifactory.reporting import ImageGridReporter, ImageReporter
from curifactory.reporting.reportables.pictures import save_picture, to_bytes


@pytest.mark.parametrize(
    ("picture", "pixels"),
    [
        (np.array([[0, 128], [255, 3]], dtype=np.uint8), [[0, 128], [255, 3]]),
        ([[0, 128], [255, 3]], [[0, 128], [255, 3]]),
        ([[True, False]], [[255, 0]]),
        ([[0.0, 1.0, float("nan"), 0.5]], [[0, 255, 0, 128]]),
        ([[-1.0, 1.0]], [[0, 255]]),
        ([[5000, 7000, 6000]], [[0, 255, 128]]),
        ([[2.5, 2.5]], [[0, 0]]),
        (np.zeros((2, 3, 1)), [[0, 0, 0], [0, 0, 0]]),
        (np.ones((1, 2, 3)), [[[255, 255, 255]] * 2]),
        (np.stack([np.zeros((5, 6)), np.ones((5, 6)), np.zeros((5, 6))]), [[[0, 255, 0]] * 6] * 5),
    ],
)
def test_numbers_become_pixels(picture, pixels):
    shown = to_bytes(picture)
    assert shown.dtype == np.uint8
    assert shown.tolist() == pixels


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.zeros((2, 2, 2)), r"shape \(2, 2, 2\) is no picture"),
        (np.zeros(5), r"shape \(5,\) is no picture"),
        (np.zeros((0, 5)), r"shape \(0, 5\) is no picture"),
        ([["a", "b"]], "is no picture"),
        ([[1, 2], [3]], "is no picture"),
        (np.full((2, 2, 3), 7.5), "in colours has numbers from 7.5 to 7.5"),
    ],
)
def test_what_is_no_picture_is_refused(picture, message):
    with pytest.raises(ReportError, match=message):
        to_bytes(picture)


def test_a_tensor_with_a_gradient_becomes_pixels():
    class Tensor:
        def __init__(self, values, attached=True):
            self.values, self.attached = values, attached

        def detach(self):
            return Tensor(self.values, attached=False)

        def cpu(self):
            return self

        def __array__(self, dtype=None, copy=None):
            assert not self.attached
            return np.asarray(self.values, dtype=dtype)

    assert to_bytes(Tensor([[0.0, 1.0]])).tolist() == [[0, 255]]


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA", "P", "CMYK", "F", "I"])
def test_images_of_pillow_are_saved_whatever_their_mode(tmp_path, mode):
    file = save_picture(Image.new(mode, (3, 2)), str(tmp_path), "leaf")
    with Image.open(tmp_path / file) as saved:
        assert (file, saved.size) == ("leaf.png", (3, 2))


def test_an_image_of_numbers_needs_no_file(tmp_path):
    fragment = ImageReporter(np.eye(4), name="eye", alt="A diagonal.").to_fragment(str(tmp_path), "eye")
    assert (fragment.kind, fragment.files, fragment.data) == (
        "image",
        ("eye.png",),
        {"alt": "A diagonal.", "width": 240, "height": 240, "enlarged": True},
    )
    with Image.open(tmp_path / "eye.png") as saved:
        assert np.asarray(saved.convert("L")).tolist() == (np.eye(4) * 255).tolist()


def test_a_picture_that_can_be_seen_keeps_its_size(tmp_path):
    assert ImageReporter(np.zeros((150, 10))).to_fragment(str(tmp_path), "bar").data == {}
    (tmp_path / "torn.png").write_bytes(b"no picture")
    assert ImageReporter(tmp_path / "torn.png").to_fragment(str(tmp_path), "other").data == {}


def test_files_of_a_grid_stand_in_its_order(tmp_path):
    fragment = ImageGridReporter(np.zeros((12, 2, 2)), labels=range(12)).to_fragment(str(tmp_path), "grid")
    assert list(fragment.files) == sorted(fragment.files)
    assert (fragment.files[1], fragment.files[11]) == ("grid~01.png", "grid~11.png")
    assert fragment.data["labels"][11] == "11"


def test_a_grid_takes_files_and_numbers_together(tmp_path):
    (tmp_path / "leaf.GIF").write_bytes(b"GIF89a")
    images = {"file": tmp_path / "leaf.GIF", "numbers": [[0, 1]]}
    assert ImageGridReporter(images).to_fragment(str(tmp_path), "grid").files == ("grid~0.gif", "grid~1.png")


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [([], None, "was given no images"), ([[[0]]], ["a", "b"], "1 images and 2 labels")],
)
def test_a_grid_that_does_not_fit_is_refused(tmp_path, images, labels, message):
    with pytest.raises(ReportError, match=message):
        ImageGridReporter(images, labels).to_fragment(str(tmp_path), "grid")
