"""Pictures as files: a path is copied; arrays, tensors and PIL images are saved as PNG."""

from __future__ import annotations

import os
from typing import Any

from curifactory.errors import ReportError
from curifactory.reporting.reportables.files import check_extension, copy_file

SHOWN_BY_BROWSERS = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".svg", ".bmp", ".ico"})
CHANNELS = (1, 3, 4)


def save_picture(picture: Any, folder: str, name: str) -> str:
    """Put a picture into the folder of a fragment.

    Parameters
    ----------
    picture : str, path, PIL image, or array of shape (h, w), (h, w, c) or (c, h, w) with 1, 3 or 4 channels
        Whole numbers are 0 to 255, truth values black and white, other numbers 0 to 1; of a picture with one channel
        that has others, the least becomes black and the greatest white. Tensors of any library will do.
    folder : str
        The fragment's folder.
    name : str
        Name of the file, without its extension.

    Returns
    -------
    str
        The file's whole name.

    Raises
    ------
    ReportError
        If it is no picture, or cannot be copied.
    """
    if isinstance(picture, str | os.PathLike):
        path = os.fspath(picture)
        check_extension(path, SHOWN_BY_BROWSERS, "an image")
        return copy_file(path, folder, name)
    file = f"{name}.png"
    target = os.path.join(folder, file)
    if callable(getattr(picture, "save", None)) and hasattr(picture, "getbands"):
        shown = picture if picture.mode in {"1", "L", "LA", "RGB", "RGBA", "P"} else picture.convert("RGB")
        shown.save(target, format="PNG")
        return file
    from matplotlib.image import imsave

    pixels = to_bytes(picture)
    # A name of our own, so that the file is the same whichever version of matplotlib has written it.
    imsave(target, pixels, format="png", cmap="gray", vmin=0, vmax=255, metadata={"Software": "curifactory"})
    return file


def to_bytes(picture: Any) -> Any:
    """Give the pixels of an array as bytes, of shape (h, w) or (h, w, 3 or 4).

    Raises
    ------
    ReportError
        If its shape or its numbers are not those of a picture.

    Examples
    --------
    >>> to_bytes([[0.0, 0.5], [1.0, 0.25]]).tolist()
    [[0, 128], [255, 64]]
    """
    import numpy as np

    # A tensor may need a gradient or lie on another device.
    for step in ("detach", "cpu"):
        picture = getattr(picture, step)() if callable(getattr(picture, step, None)) else picture
    try:
        pixels = np.asarray(picture)
    except (TypeError, ValueError) as error:
        raise ReportError(f"{type(picture).__name__} is no picture: {error}.") from error
    if pixels.ndim == 3 and pixels.shape[2] not in CHANNELS and pixels.shape[0] in CHANNELS:
        pixels = np.moveaxis(pixels, 0, 2)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if (
        pixels.ndim not in (2, 3)
        or 0 in pixels.shape
        or (pixels.ndim == 3 and pixels.shape[2] not in CHANNELS)
    ):
        raise ReportError(
            f"An array of shape {pixels.shape} is no picture.",
            hint="Give (height, width), or (height, width, channels) with 1, 3 or 4 channels.",
        )
    if pixels.dtype == np.uint8:
        return np.ascontiguousarray(pixels)
    if pixels.dtype.kind == "b":
        return pixels.astype(np.uint8) * np.uint8(255)
    if pixels.dtype.kind not in "iuf":
        raise ReportError(f"An array of {pixels.dtype} is no picture.", hint="Give numbers.")
    return _scale(pixels.astype(np.float64), highest=1.0 if pixels.dtype.kind == "f" else 255.0)


def _scale(pixels: Any, *, highest: float) -> Any:
    import numpy as np

    finite = pixels[np.isfinite(pixels)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if low >= 0 and high <= highest:
        low, high = 0.0, highest
    elif pixels.ndim == 3:
        raise ReportError(
            f"A picture in colours has numbers from {low:g} to {high:g}.",
            hint="Give whole numbers from 0 to 255, or others from 0 to 1.",
        )
    shares = (np.nan_to_num(pixels, nan=low, posinf=high, neginf=low) - low) / ((high - low) or 1.0)
    return np.round(shares * 255).astype(np.uint8)
