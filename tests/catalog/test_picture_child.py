"""What becomes of a picture's bytes: hostile ones are refused, the others leave everything but pixels behind."""

from __future__ import annotations

import io
import resource
import subprocess
import sys

import pytest
from PIL import Image

from app.catalog.picture_files import MAX_BYTES, Upload, checked
from app.core.errors import Invalid
from tests.factories import images
from workers.pictures import Unmade, encode

KINDS = ("jpeg", "png", "webp")
ALL = [(f"{width}.{form}", width, form, True) for width in (320, 640, 1280) for form in ("avif", "webp")]
ONE = [("one.webp", 640, "webp", True)]
LOSSY = [*ALL, ("whole.webp", 640, "webp", False)]


def taken(name: str, content: bytes) -> str:
    """The code by which an upload is refused, at the door or by the child; empty when it is made."""
    try:
        kind = checked(Upload(name, content), KINDS, MAX_BYTES, "picture_kind")
        encode(content, kind, None, ONE)
    except Invalid as wrong:
        return wrong.errors[0].code
    except Unmade as reason:
        return str(reason)
    return ""


def test_what_is_no_harmless_picture_is_refused_with_its_reason() -> None:
    jpeg, png = images.encoded(images.quarters()), images.encoded(images.quarters(), "PNG")
    sent = {
        "bomb.png": (images.bomb(), "picture_pixels"),
        "large.png": (images.bomb(8_000, 5_001), "picture_pixels"),
        "cut.jpg": (jpeg[: len(jpeg) // 2], "picture_broken"),
        "cut.png": (png[: len(png) // 2], "picture_broken"),
        "gif.jpg": (images.encoded(images.quarters().convert("P"), "GIF"), "picture_kind"),
        "drawing.svg": (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "picture_kind"),
        "photo.heic": (b"\0\0\0\x18ftypheic" + b"\0" * 64, "picture_kind"),
        "moves.webp": (images.animated("WEBP"), "picture_animated"),
        "moves.png": (images.animated("PNG"), "picture_animated"),
        "really.png": (jpeg, "wrong_extension"),
        "page.jpg": (b"\xff\xd8\xff" + b"<html><script>alert(1)</script>" * 50, "picture_broken"),
        "only-begins.png": (b"\x89PNG\r\n\x1a\n" + jpeg, "picture_broken"),
        "empty.jpg": (b"", "required"),
        "heavy.jpg": (jpeg + b"\0" * MAX_BYTES, "upload_too_large"),
        "good.jpg": (jpeg, ""),
        "no-ending": (png, ""),
    }
    assert {name: taken(name, content) for name, (content, _) in sent.items()} == {
        name: code for name, (_, code) in sent.items()
    }


def test_nothing_but_pixels_is_left_of_a_phone_picture() -> None:
    sent = images.from_a_phone(images.quarters(2000, 1500), 6) + images.SECRET
    assert b"SecretCamera" in sent
    assert b"ICC_PROFILE" in sent
    _, files = encode(sent, "jpeg", None, LOSSY)
    assert len(files) == 7
    for content in files:
        with Image.open(io.BytesIO(content)) as made:
            assert not set(made.info) & {"exif", "icc_profile", "xmp", "comment"}
            assert not dict(made.getexif())
            assert getattr(made, "n_frames", 1) == 1
        assert not [word for word in (b"Secret", b"Model-XYZ", b"script", b"Exif", b"GPS") if word in content]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_out_upright_and_is_cropped_as_it_is_seen(orientation: int) -> None:
    seen = images.quarters(640, 480)
    sent = images.from_a_phone(images.stored_as(seen, orientation), orientation)
    told, [whole, quarter, narrow] = encode(
        sent, "jpeg", [320, 0, 320, 240],
        [("w", 640, "webp", False), ("c", 640, "webp", True), ("n", 100, "webp", True)],
    )  # fmt: skip
    assert (told["source"], told["width"], told["height"]) == ([640, 480], 320, 240), "nothing is enlarged"
    assert images.corners(whole) == list(images.COLOURS)
    assert images.corners(quarter) == ["green"] * 4
    assert images.spread(quarter) <= 12, "not a line of the neighbours"
    with Image.open(io.BytesIO(narrow)) as made:
        assert made.size == (100, 75)


def test_colours_of_another_profile_become_those_of_the_screen() -> None:
    cmyk = images.encoded(Image.new("CMYK", (400, 300), (0, 255, 255, 0)))
    _, [content] = encode(cmyk, "jpeg", None, ONE)
    assert images.corners(content) == ["red"] * 4
    clear = Image.new("RGBA", (400, 300), (0, 0, 0, 0))
    _, [content] = encode(images.encoded(clear, "PNG"), "png", None, [("a", 320, "webp", True)])
    with Image.open(io.BytesIO(content)) as made:
        assert min(made.convert("RGB").getpixel((5, 5))) > 250, "transparent is white"


def test_the_child_may_take_little_and_knows_nothing() -> None:
    code = (
        "import os, resource, workers.picture_child as child; child.limit();"
        "print(resource.getrlimit(resource.RLIMIT_AS)[1], resource.getrlimit(resource.RLIMIT_CPU)[1],"
        " [m for m in __import__('sys').modules if m.split('.')[0] in ('app', 'flask', 'sqlalchemy')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(512 * 1024 * 1024), "20", "[]"]
    assert resource.getrlimit(resource.RLIMIT_AS)[1] != 512 * 1024 * 1024, "not this process"
    listed = subprocess.run(
        [sys.executable, "-c", "import wsgi, sys; print('PIL' in sys.modules)"], capture_output=True, text=True,
        check=True, env={"TUTUU_ENV": "test", "DATABASE_URL": "postgresql+psycopg2://n@/n", "SECRET_KEY": "x" * 40,
                         "REDIS_URL": "redis://127.0.0.1:1/0"},
    )  # fmt: skip
    assert listed.stdout.strip() == "False", "the web never loads a decoder"
