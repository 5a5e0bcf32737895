"""Camera intrinsics: given by the user, read from the metadata of the video, or assumed and marked as assumed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hyperlift.errors import InputError, one_line, quoted
from hyperlift.geometry.normalisation import check_picture_size
from hyperlift.readers import reader
from hyperlift.safe_io.json_text import read_json
from hyperlift.shapes import Float

ASSUMED_FOV_DEG = 60.0
"""Chosen: between the main cameras of phones (65–75° in photos, less in stabilised video) and camcorders."""
_MAX_BYTES = 50_000
"""Size limit of an intrinsics file; a file with K and a long comment has below 1 kB."""
_MAX_PIXELS = 1_000_000
"""Upper limit of a stated width or height, which catches corrupt files."""
_FILM_LONG_SIDE_MM = 36.0
"""Long side of 36 × 24 mm film, to which "35 mm equivalent" focal lengths refer."""
_EQUIVALENT_FOCAL_KEYS = (
    "com.apple.quicktime.camera.focal_length.35mm_equivalent",
    "camera.focal_length.35mm_equivalent",
    "FocalLengthIn35mmFilm",
    "FocalLengthIn35mmFormat",
)
"""Metadata keys in which phones and cameras store the 35 mm equivalent focal length."""


@dataclass(frozen=True, kw_only=True)
class Intrinsics:
    """A pinhole camera without distortion or skew, in pixels of the upright picture."""

    fx_px: float
    fy_px: float
    cx_px: float
    cy_px: float
    width: int
    height: int
    source: str
    """Origin of the numbers, in words, for users of the output."""
    assumed: bool = False
    """True if nothing is known about the lens."""

    def __post_init__(self) -> None:
        check_picture_size(float(self.width), float(self.height))
        numbers = self.fx_px, self.fy_px, self.cx_px, self.cy_px
        if not all(math.isfinite(number) for number in numbers) or min(self.fx_px, self.fy_px) <= 0:
            raise InputError(
                f"intrinsics fx {self.fx_px:g}, fy {self.fy_px:g}, cx {self.cx_px:g}, cy {self.cy_px:g} are no camera; "
                "give finite numbers in pixels, and positive focal lengths"
            )

    @property
    def K(self) -> Float[np.ndarray, "3 3"]:
        """The matrix that maps camera coordinates to homogeneous pixels."""
        return np.array([[self.fx_px, 0.0, self.cx_px], [0.0, self.fy_px, self.cy_px], [0.0, 0.0, 1.0]])

    @property
    def fov_deg(self) -> float:
        """Field of view over the long side in degrees, for a principal point in the centre of the picture."""
        focal_px = self.fx_px if self.width >= self.height else self.fy_px
        return math.degrees(2 * math.atan(max(self.width, self.height) / 2 / focal_px))

    def as_dict(self) -> dict[str, Any]:
        """For the ``meta`` of outputs."""
        return {
            "fx_px": self.fx_px,
            "fy_px": self.fy_px,
            "cx_px": self.cx_px,
            "cy_px": self.cy_px,
            "width": self.width,
            "height": self.height,
            "fov_long_side_deg": round(self.fov_deg, 3),
            "assumed": self.assumed,
            "source": self.source,
        }

    @classmethod
    def from_dict(cls, stated: Mapping[str, Any]) -> "Intrinsics":
        """The inverse of ``as_dict``.

        Raises:
            KeyError, TypeError, ValueError: a value is missing or has the wrong type.
        """
        lens_px = {name: float(stated[name]) for name in ("fx_px", "fy_px", "cx_px", "cy_px")}
        size = {name: int(stated[name]) for name in ("width", "height")}
        return cls(**lens_px, **size, source=str(stated["source"]), assumed=bool(stated["assumed"]))


def choose_intrinsics(
    width: int,
    height: int,
    *,
    fov_deg: float | None = None,
    given: str | Path | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Intrinsics:
    """Choose intrinsics in this order: given ones, a field of view, metadata of the video, an assumed 60°.

    Args:
        width: of the upright picture, pixels.
        height: of the upright picture, pixels.
        fov_deg: field of view over the long side of the picture.
        given: input of ``given_intrinsics``.
        metadata: of the container and the video stream; None without a video.

    Raises:
        InputError: both ``given`` and ``fov_deg`` are given, or one is out of range.

    Example:
        >>> from hyperlift.placement.lens import choose_intrinsics
        >>> lens = choose_intrinsics(1920, 1080, fov_deg=66)
        >>> round(lens.fx_px), lens.cx_px, lens.assumed
        (1478, 960.0, False)
    """
    if given is not None and fov_deg is not None:
        raise InputError("`fov_deg` and `intrinsics` are both given; give one of them")
    if given is not None:
        return given_intrinsics(given, width, height)
    if fov_deg is not None:
        return fov_intrinsics(fov_deg, width, height)
    return metadata_intrinsics(metadata or {}, width, height) or assumed_intrinsics(width, height)


def assumed_intrinsics(width: int, height: int) -> Intrinsics:
    """Assume a field of view of 60° over the long side, square pixels, and a centred principal point."""
    focal_px = max(width, height) / 2 / math.tan(math.radians(ASSUMED_FOV_DEG) / 2)
    return _centred(
        focal_px,
        width,
        height,
        f"assumed field of view of {ASSUMED_FOV_DEG:g} degrees over the long side (nothing is known about the lens); "
        "distances grow with the true focal length; `fov_deg` or `intrinsics` set it",
        assumed=True,
    )


def fov_intrinsics(fov_deg: float, width: int, height: int, origin: str = "`fov_deg`") -> Intrinsics:
    """Intrinsics of a field of view over the LONG side of the picture.

    Raises:
        InputError: the field of view is not between 5 and 170 degrees.
    """
    if not 5 <= fov_deg <= 170:
        raise InputError(f"{origin} is {fov_deg:g}; give degrees over the long side of the picture, from 5 to 170")
    focal_px = max(width, height) / 2 / math.tan(math.radians(fov_deg) / 2)
    return _centred(focal_px, width, height, f"{origin}: {fov_deg:g} degrees over the long side")


def metadata_intrinsics(metadata: Mapping[str, str], width: int, height: int) -> Intrinsics | None:
    """Intrinsics from metadata such as QuickTime's ``camera.focal_length.35mm_equivalent``; None without such a key.

    The long side of the picture is taken as 36 mm of film. Video that is cropped for stabilisation has a field of view
    that is 5–15 % narrower than its metadata state.

    Args:
        metadata: keys, in any case, and values as text.
        width: of the upright picture, pixels.
        height: of the upright picture, pixels.
    """
    by_key = {key.lower(): value for key, value in metadata.items()}
    for key in _EQUIVALENT_FOCAL_KEYS:
        focal_mm = _number(by_key.get(key.lower()))
        if focal_mm is not None and 5 <= focal_mm <= 1500:
            focal_px = focal_mm / _FILM_LONG_SIDE_MM * max(width, height)
            source = f"the video's lens data: {focal_mm:g} mm (35 mm equivalent; 36 mm over the long side), {key}"
            return _centred(focal_px, width, height, source)
    return None


@reader("intrinsics")
def given_intrinsics(given: str | Path, width: int, height: int) -> Intrinsics:
    """Parse intrinsics from the text "fx,fy,cx,cy" in pixels, or from a YAML or JSON file.

    The file holds ``fx, fy, cx, cy`` or a 3×3 ``K``, and optionally ``width`` and ``height`` of the calibrated picture;
    intrinsics are scaled if the video has another size with the same aspect ratio.

    Raises:
        InputError: the file does not exist, numbers are missing or out of range, or the aspect ratio differs.
    """
    text = str(given)
    parts = [_number(part) for part in text.split(",")]
    if len(parts) == 4 or (None not in parts and not Path(text).exists()):
        if len(parts) != 4 or None in parts:
            raise InputError(f"`intrinsics` is {quoted(text)}; give four numbers fx,fy,cx,cy in pixels, or a file")
        return _from_mapping(dict(zip(("fx", "fy", "cx", "cy"), parts, strict=True)), width, height, "intrinsics")
    path = Path(given)
    values = _values_of(path)
    if not isinstance(values, dict):
        raise InputError(f"intrinsics {text}: holds no mapping; expected fx, fy, cx, cy or K")
    return _from_mapping(values, width, height, f"intrinsics {path.name}")


def _values_of(path: Path) -> object:
    remedy = "give a YAML or JSON file of intrinsics, or fx,fy,cx,cy"
    if path.suffix.lower() == ".json":
        return read_json(path, remedy, _MAX_BYTES)
    from hyperlift.safe_io.yaml_text import read_yaml  # PyYAML is slow to import and rarely needed

    return read_yaml(path, remedy)


def _from_mapping(values: Mapping[str, Any], width: int, height: int, origin: str) -> Intrinsics:
    known = {"fx", "fy", "cx", "cy", "K", "width", "height"}
    if unknown := [one_line(key) if isinstance(key, str) else quoted(key) for key in values if key not in known]:
        raise InputError(
            f"{origin}: has {one_line(', '.join(sorted(unknown)))}; expected fx, fy, cx, cy or K, and width, height"
        )
    if "K" in values:
        fx, fy, cx, cy = _numbers_of_matrix(values["K"], origin)
    else:
        numbers = {key: _number(values.get(key)) for key in ("fx", "fy", "cx", "cy")}
        if missing := [key for key, number in numbers.items() if number is None]:
            raise InputError(f"{origin}: {', '.join(missing)} missing or no number; expected fx, fy, cx, cy or K")
        fx, fy, cx, cy = (float(number) for number in numbers.values() if number is not None)
    measured = [_number(side) or 0.0 for side in (values.get("width", width), values.get("height", height))]
    if not 1 <= min(measured) <= max(measured) <= _MAX_PIXELS:
        raise InputError(f"{origin}: width and height must be pixels from 1 to {_MAX_PIXELS:,}")
    scale_x, scale_y = width / measured[0], height / measured[1]
    # Scaling keeps the aspect ratio; a crop also moves the principal point by an unknown amount.
    if abs(scale_x / scale_y - 1) > 0.01:
        raise InputError(
            f"{origin}: is for a picture of {measured[0]:g}x{measured[1]:g}, the video has {width}x{height}; "
            "give the intrinsics of the upright video"
        )
    scaled = "" if scale_x == scale_y == 1 else f", scaled from {measured[0]:g}x{measured[1]:g}"
    return Intrinsics(
        fx_px=fx * scale_x,
        fy_px=fy * scale_y,
        cx_px=cx * scale_x,
        cy_px=cy * scale_y,
        width=width,
        height=height,
        source=f"{origin}{scaled}",
    )


def _numbers_of_matrix(matrix: Any, origin: str) -> tuple[float, float, float, float]:
    try:
        K = np.array(matrix, dtype=np.float64).reshape(3, 3)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{origin}: K is no 3×3 matrix of numbers") from None
    skew = abs(K[0, 1]) > 1e-3 * abs(K[0, 0]) or np.abs(K[[1, 2, 2], [0, 0, 1]]).max() > 1e-9 or K[2, 2] != 1
    if not np.isfinite(K).all() or skew:
        raise InputError(f"{origin}: K is not [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]; skew is not supported")
    return float(K[0, 0]), float(K[1, 1]), float(K[0, 2]), float(K[1, 2])


def _centred(focal_px: float, width: int, height: int, source: str, assumed: bool = False) -> Intrinsics:
    return Intrinsics(
        fx_px=focal_px,
        fy_px=focal_px,
        cx_px=width / 2,
        cy_px=height / 2,
        width=width,
        height=height,
        source=source,
        assumed=assumed,
    )


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and not isinstance(value, bool) else None
