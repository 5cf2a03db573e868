"""Pictures as people, phones and attackers send them; made here, so that no photograph is needed."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any

from PIL import Image, ImageCms

COLOURS = {"red": (200, 30, 30), "green": (30, 160, 60), "blue": (30, 60, 200), "grey": (120, 120, 120)}
SECRET = b"PK\x03\x04<script>alert('in the tail')</script>"


def quarters(width: int = 640, height: int = 480) -> Image.Image:
    """Red, green / blue, grey: any crop, turn or mirror shows in the corners."""
    picture = Image.new("RGB", (width, height))
    for number, colour in enumerate(COLOURS.values()):
        left, top = number % 2 * (width // 2), number // 2 * (height // 2)
        picture.paste(colour, (left, top, left + width // 2, top + height // 2))
    return picture


def encoded(picture: Image.Image, form: str = "JPEG", **options: Any) -> bytes:
    """The file of a picture."""
    out = io.BytesIO()
    picture.save(out, form, **({"quality": 95, "subsampling": 0} if form == "JPEG" else {}) | options)
    return out.getvalue()


def from_a_phone(picture: Image.Image, orientation: int = 1) -> bytes:
    """A JPEG that tells camera, place and colour profile."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x0110] = orientation, "SecretCamera", "Model-XYZ"
    exif.get_ifd(0x8825).update({1: "N", 2: (55.0, 45.0, 21.0), 3: "E", 4: (37.0, 37.0, 2.0)})
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return encoded(picture, exif=exif, icc_profile=profile, comment=b"SecretComment")


def stored_as(picture: Image.Image, orientation: int) -> Image.Image:
    """The pixels a camera keeps so that this picture is seen upright with the orientation."""
    turn = Image.Transpose
    back = {
        2: turn.FLIP_LEFT_RIGHT, 3: turn.ROTATE_180, 4: turn.FLIP_TOP_BOTTOM, 5: turn.TRANSPOSE, 6: turn.ROTATE_90,
        7: turn.TRANSVERSE, 8: turn.ROTATE_270,
    }  # fmt: skip
    return picture.transpose(back[orientation]) if orientation in back else picture


def bomb(width: int = 60_000, height: int = 60_000) -> bytes:
    """A PNG of some hundred bytes that says it is enormous."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 9)) + chunk(b"IEND", b"")


def animated(form: str) -> bytes:
    """Two pictures in one file."""
    return encoded(quarters(), form, save_all=True, append_images=[Image.new("RGB", (640, 480))], duration=100)


def corners(content: bytes) -> list[str]:
    """The nearest colour in each corner: top left, top right, bottom left, bottom right."""
    with Image.open(io.BytesIO(content)) as picture:
        plain = picture.convert("RGB")
    right, bottom = plain.width - 1, plain.height - 1
    return [nearest(plain.getpixel(at)) for at in ((0, 0), (right, 0), (0, bottom), (right, bottom))]


def nearest(pixel: Any) -> str:
    """The name of the colour that a pixel is closest to."""
    return min(COLOURS, key=lambda name: sum((a - b) ** 2 for a, b in zip(pixel, COLOURS[name], strict=True)))


def spread(content: bytes) -> int:
    """How far the channels of a picture reach at most; near 0 for one colour."""
    with Image.open(io.BytesIO(content)) as picture:
        extrema: Sequence[tuple[int, int]] = picture.convert("RGB").getextrema()  # type: ignore[assignment]
    return max(high - low for low, high in extrema)


PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
