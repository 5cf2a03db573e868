"""Decodes one picture in a process of its own: `python -m workers.picture_child ORDER`, the file on stdin.

A picture is the most dangerous thing that strangers send. This process has no secrets in its environment, little
memory and little time, and imports nothing of the market; what it writes is encoded anew from bare pixels, so no
EXIF, ICC, XMP, text, animation or appended archive can pass. On stdout: one line of JSON, then the files it names.
"""

from __future__ import annotations

import io
import json
import resource
import sys
import warnings
from typing import Any

MEMORY = 512 * 1024 * 1024
CPU_SECONDS = 20
MAX_PIXELS = 40_000_000
TALLEST = 2
"""A picture may be this many times as high as the width it is made for."""
FORMATS = {"jpeg": "JPEG", "png": "PNG", "webp": "WEBP"}
OPTIONS: dict[str, dict[str, Any]] = {
    "avif": {"speed": 6, "max_threads": 1, "subsampling": "4:2:0"},
    "webp": {"method": 4},
    "jpeg": {"optimize": True, "progressive": True},
}
QUALITIES = {"avif": (60, 48, 36), "webp": (76, 62, 48), "jpeg": (85,)}
"""The first is enough for most pictures; a grainy one that comes out too heavy is tried with the next."""
BYTES_PER_PIXEL = 0.13
"""What a file may weigh: 640 x 480 in 40 KB."""
TURNS = {2: (0,), 3: (3,), 4: (1,), 5: (5,), 6: (4,), 7: (6,), 8: (2,)}
"""EXIF orientation -> PIL's Transpose that puts the picture upright."""


class Refused(Exception):
    """The picture is not taken; the text is the reason's code."""


def limit() -> None:
    """Take away what a hostile picture could use."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # it writes to a pipe only


def opened(content: bytes, kind: str) -> Any:
    """The picture with its header read; pixels are counted before any is decoded.

    Raises:
        Refused: picture_broken, picture_pixels, picture_animated.
    """
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    try:
        picture = Image.open(io.BytesIO(content), formats=[FORMATS[kind]])
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise Refused("picture_pixels") from None
    except (OSError, SyntaxError, ValueError):
        raise Refused("picture_broken") from None
    if picture.width * picture.height > MAX_PIXELS:
        raise Refused("picture_pixels")
    # phones put a second JPEG (depth, gain map) behind the first: that is no animation
    if kind != "jpeg" and getattr(picture, "is_animated", False):
        raise Refused("picture_animated")
    return picture


def plain(picture: Any) -> Any:
    """Pixels in a mode that can be made smaller with care: RGB, RGBA, L or CMYK."""
    if picture.mode in ("RGB", "RGBA", "L", "CMYK"):
        return picture
    if picture.mode.startswith("I"):  # 16 bits of grey
        return picture.point(lambda value: value / 256).convert("L")
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


def raw_box(box: list[int], size: tuple[int, int], orientation: int) -> tuple[int, int, int, int]:
    """A rectangle (left, top, width, height) of the upright picture in the coordinates of the stored one."""
    left, top, width, height = box
    right, bottom = left + width, top + height
    across, down = size
    return {
        1: (left, top, right, bottom),
        2: (across - right, top, across - left, bottom),
        3: (across - right, down - bottom, across - left, down - top),
        4: (left, down - bottom, right, down - top),
        5: (top, left, bottom, right),
        6: (top, down - right, bottom, down - left),
        7: (across - bottom, down - right, across - top, down - left),
        8: (across - bottom, left, across - top, right),
    }[orientation]


def srgb(picture: Any, profile: bytes | None) -> Any:
    """Colours as screens without a profile show them, on white where the picture is transparent."""
    from PIL import Image, ImageCms

    if picture.mode == "RGBA":
        ground = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(ground, picture).convert("RGB")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(picture, source, target, outputMode="RGB")
            picture = converted or picture
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass  # a profile that does not fit its pixels says nothing
    return picture.convert("RGB")


def made(picture: Any, box: list[int], width: int, orientation: int, profile: bytes | None) -> Any:
    """The rectangle of the upright picture, at most `width` wide, as bare sRGB pixels. Nothing is enlarged."""
    from PIL import Image

    scale = min(1, width / box[2], TALLEST * width / box[3])
    size = max(1, round(box[2] * scale)), max(1, round(box[3] * scale))
    turned = size[::-1] if orientation >= 5 else size
    small = picture.resize(
        turned, Image.Resampling.LANCZOS, box=raw_box(box, picture.size, orientation), reducing_gap=3.0
    )
    small = srgb(small, profile)
    for turn in TURNS.get(orientation, ()):
        small = small.transpose(Image.Transpose(turn))
    bare = Image.new("RGB", small.size)
    bare.paste(small)  # pixels only: what the file said of itself stays behind
    return bare


def encoded(picture: Any, form: str) -> bytes:
    """The file, lighter when the first quality makes it too heavy for a page."""
    most = picture.width * picture.height * BYTES_PER_PIXEL
    for quality in QUALITIES[form]:
        out = io.BytesIO()
        picture.save(out, form, quality=quality, **OPTIONS[form])
        if out.tell() <= most:
            break
    return out.getvalue()


def work(content: bytes, order: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
    """Make the files of an order: `kind`, `crop` (or null), `files`: [name, width, format, cropped].

    Raises:
        Refused: with the reason's code.
    """
    picture = opened(content, order["kind"])
    try:
        orientation = picture.getexif().get(0x0112, 1)
        picture.load()
    except (OSError, SyntaxError, ValueError):
        raise Refused("picture_broken") from None
    orientation = orientation if orientation in range(1, 9) else 1
    profile = picture.info.get("icc_profile")
    pixels = plain(picture)
    size = pixels.size[::-1] if orientation >= 5 else pixels.size
    whole = [0, 0, *size]
    crop = order["crop"] or whole
    if crop[0] + crop[2] > size[0] or crop[1] + crop[3] > size[1]:
        raise Refused("picture_crop")
    ready: dict[tuple[int, bool], Any] = {}
    for _name, width, _format, cropped in order["files"]:
        if (width, cropped) not in ready:
            ready[width, cropped] = made(pixels, crop if cropped else whole, width, orientation, profile)
    files = [encoded(ready[width, cropped], form) for _name, width, form, cropped in order["files"]]
    largest = max((one for (_, cropped), one in ready.items() if cropped), key=lambda one: one.width)
    told = {"source": size, "width": largest.width, "height": largest.height, "sizes": [len(one) for one in files]}
    return told, files


def main() -> None:
    """Read the file, make the order, write the answer."""
    limit()
    warnings.simplefilter("error")
    order = json.loads(sys.argv[1])
    content = sys.stdin.buffer.read()
    files: list[bytes] = []
    try:
        told, files = work(content, order)
    except Refused as refusal:
        told = {"refused": str(refusal)}
    except MemoryError:
        told = {"refused": "picture_heavy"}
    sys.stdout.buffer.write(json.dumps(told).encode() + b"\n" + b"".join(files))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
