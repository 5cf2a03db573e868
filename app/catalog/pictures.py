"""Photographs of cards: taking uploads, cropping, which are shown and in what order.

`set_images` is the only writer of `product_image.position` and, with `finish`, of `product.picture`.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from app.catalog.media_models import ProductImage
from app.catalog.models import Product
from app.catalog.picture_files import (
    MAX_BYTES,
    ORIGINALS,
    Upload,
    checked,
    files_of,
    fresh_name,
    shown_name,
    whole_file,
)
from app.core import audit, jobs
from app.core.db import changed, lock_rows, session, unit_of_work
from app.core.errors import Conflict, Invalid, NotFound
from app.core.filetypes import MIME, kind_of
from app.core.permissions import Actor
from app.core.storage import Storage, new_name

MAKE, FORGET = "pictures.make", "media.forget"
QUEUE = "imports"
"""Where work of seconds waits: prices and mails go past it."""
KINDS = ("jpeg", "png", "webp")
MOST_SHOWN = 20
MOST_UNUSED = 40
"""Uploads of one party for one card that are not shown."""
LEAST_CROP = 32
STALE = timedelta(days=1)
"""So long pages may still name files that were replaced."""
UNUSED = timedelta(days=14)
"""So long an upload that is not shown can be put back."""


@dataclass(frozen=True, slots=True)
class Received:
    """An upload and the job that makes its files."""

    public_id: uuid.UUID
    job_id: uuid.UUID


def forget(names: Sequence[str], delay: timedelta = timedelta()) -> None:
    """Have files deleted after the present transaction, even if this process ends."""
    if names:
        jobs.enqueue(FORGET, {"names": list(names)}, delay=delay)


def receive(actor: Actor, storage: Storage, product_id: int, upload: Upload, seller_id: int | None = None) -> Received:
    """Keep an upload and have its files made. The row comes first: a file without a row would never be found again.

    Raises:
        Invalid: not a JPEG, PNG or WebP by content, too large, or named as something else.
        Conflict: `too_many_pictures` lie unused.
    """
    kind = checked(upload, KINDS, MAX_BYTES, "picture_kind")
    original = new_name(ORIGINALS, "dat")
    row_id = _open(actor, product_id, upload, seller_id, kind, original)
    try:
        storage.put(original, upload.content, MIME[kind])
    except Exception:
        _drop(row_id)
        raise
    return _start(actor, row_id)


@unit_of_work
def note_refused(actor: Actor, product_id: int, upload: Upload, code: str, seller_id: int | None = None) -> None:
    """Keep the name of a file that was not taken, with the reason, so that a page of many uploads tells all."""
    _room(product_id, seller_id)
    session.add(
        ProductImage(
            product_id=product_id, seller_id=seller_id, user_id=actor.user, file_name=shown_name(upload.name),
            kind=kind_of(upload.content) or "", state="refused", error=code,
        )
    )  # fmt: skip


def _room(product_id: int, seller_id: int | None) -> None:
    lying = session.scalar(
        sa.select(sa.func.count())
        .select_from(ProductImage)
        .where(ProductImage.product_id == product_id, ProductImage.position.is_(None))
        .where(ProductImage.seller_id.is_not_distinct_from(seller_id))
    )
    if (lying or 0) >= MOST_UNUSED:
        raise Conflict("too_many_pictures", maximum=MOST_UNUSED)


@unit_of_work
def _open(
    actor: Actor, product_id: int, upload: Upload, seller_id: int | None, kind: str, original: str
) -> int:  # fmt: skip
    _room(product_id, seller_id)
    row = ProductImage(
        product_id=product_id, seller_id=seller_id, user_id=actor.user, file_name=shown_name(upload.name), kind=kind,
        original=original, next_name=fresh_name(), whole=fresh_name(),
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row.id


@unit_of_work
def _drop(row_id: int) -> None:
    session.execute(sa.delete(ProductImage).where(ProductImage.id == row_id))


@unit_of_work
def _start(actor: Actor, row_id: int) -> Received:
    row = session.get_one(ProductImage, row_id)
    return Received(row.public_id, _make(row, actor.user_id))


def _make(row: ProductImage, user_id: int | None) -> uuid.UUID:
    payload = {"image": row.id, "name": row.next_name, "whole": row.whole}
    return jobs.enqueue(MAKE, payload, queue=QUEUE, user_id=user_id)


@unit_of_work
def set_images(actor: Actor, product_id: int, ids: Sequence[uuid.UUID]) -> None:
    """Show these photographs on the card in this order, and no others; the first stands in lists.

    Raises:
        NotFound: there is no such card.
        Invalid: one is named twice, is not of this card or not ready, or there are too many.
        Conflict: `picture_busy`: one that is not shown yet is being cropped.
    """
    if len(ids) > MOST_SHOWN:
        raise Invalid.one("/images", "too_many_shown", maximum=MOST_SHOWN)
    card = _locked_card(product_id)
    found = session.execute(
        sa.select(ProductImage.public_id, ProductImage.name, ProductImage.next_name, ProductImage.position)
        .where(ProductImage.product_id == product_id, ProductImage.state == "ready")
        .order_by(ProductImage.position)
    ).all()
    names = {row.public_id: row.name for row in found}
    if len(set(ids)) != len(ids) or not names.keys() >= set(ids):
        raise Invalid.one("/images", "unknown_picture")
    before = [row.public_id for row in found if row.position is not None]
    if before == list(ids):
        return
    if any(row.next_name for row in found if row.public_id in ids and row.position is None):
        raise Conflict("picture_busy")  # what was looked at is not what would be shown
    of_card = ProductImage.product_id == product_id
    session.execute(sa.update(ProductImage).where(of_card, ProductImage.position.is_not(None)).values(position=None))
    place = sa.func.array_position(sa.cast(list(ids), ARRAY(sa.Uuid)), ProductImage.public_id) - 1
    session.execute(sa.update(ProductImage).where(of_card, ProductImage.public_id.in_(ids)).values(position=place))
    session.expire_all()
    card.picture = names[ids[0]] if ids else ""
    audit.record(
        actor, "product.pictures_set", "product", product_id, before={"images": [str(one) for one in before]},
        after={"images": [str(one) for one in ids]},
    )  # fmt: skip
    changed("listing")


@unit_of_work
def take_over(actor: Actor, gone_id: int, kept_id: int) -> None:
    """Put the photographs of a card that is merged into another behind the other's, while there is room.

    Raises:
        Conflict: `picture_busy` while one of them is being cropped.
    """
    moved = shown_ids(gone_id)
    set_images(actor, gone_id, [])
    session.execute(
        sa.update(ProductImage).where(ProductImage.product_id == gone_id).values(product_id=kept_id)
    )  # fmt: skip
    set_images(actor, kept_id, [*shown_ids(kept_id), *moved][:MOST_SHOWN])


def _locked_card(product_id: int) -> Product:
    rows = lock_rows(Product, [product_id])
    if not rows:
        raise NotFound()
    card: Product = rows[0]
    return card


def shown_ids(product_id: int) -> list[uuid.UUID]:
    """What the card shows now, in order."""
    return list(
        session.scalars(
            sa.select(ProductImage.public_id)
            .where(ProductImage.product_id == product_id, ProductImage.position.is_not(None))
            .order_by(ProductImage.position)
        )
    )


def check_wished(product_id: int, seller_id: int, ids: Sequence[str]) -> None:
    """Whether a seller may ask for these: shown ones and own ready uploads.

    Raises:
        Invalid: one is none of them or named twice, or there are too many.
    """
    if len(ids) > MOST_SHOWN:
        raise Invalid.one("/images", "too_many_shown", maximum=MOST_SHOWN)
    may = sa.or_(ProductImage.position.is_not(None), ProductImage.seller_id == seller_id)
    asked = sa.select(ProductImage.public_id).where(ProductImage.product_id == product_id, may)
    known = {str(one) for one in session.scalars(asked.where(ProductImage.state == "ready"))} if ids else set()
    if len(set(ids)) != len(ids) or not known >= set(ids):
        raise Invalid.one("/images", "unknown_picture")


def _locked(product_id: int, public_id: uuid.UUID, seller_id: int | None) -> ProductImage:
    """An upload for a card: any for the operator, for a seller an own one.

    Raises:
        NotFound.
    """
    _locked_card(product_id)
    asked = sa.select(ProductImage).where(ProductImage.product_id == product_id, ProductImage.public_id == public_id)
    if seller_id is not None:
        asked = asked.where(ProductImage.seller_id == seller_id)
    row = session.scalars(asked.with_for_update().execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFound()
    return row


@unit_of_work
def edit(
    actor: Actor, product_id: int, public_id: uuid.UUID, crop: Sequence[int] | None, alt: tuple[str, str],
    seller_id: int | None = None,
) -> uuid.UUID | None:  # fmt: skip
    """Set the crop (left, top, width, height in pixels of the upright original; None takes all) and what the picture
    shows in Russian and English. Returns the job that makes the files anew, or None when the crop is as it was.

    Raises:
        NotFound: absent, or of another party.
        Conflict: `picture_shown`: a seller may not change what buyers see; `picture_busy`: it is being made.
        Invalid: the crop leaves the picture or is too small, or a text is too long.
    """
    row = _locked(product_id, public_id, seller_id)
    if row.state == "refused":
        raise NotFound()
    if seller_id is not None and row.position is not None:
        raise Conflict("picture_shown")
    if row.next_name:
        raise Conflict("picture_busy")
    for field, text in zip(("alt_ru", "alt_en"), alt, strict=True):
        if len(text) > 200:
            raise Invalid.one(f"/{field}", "too_long", maximum=200)
    row.alt_ru, row.alt_en = (text.strip() for text in alt)
    wanted = _crop(row, crop)
    audit.record(actor, "picture.edited", "product_image", row.id, before={"crop": row.crop}, after={"crop": wanted})
    if row.position is not None:
        changed("listing")
    if wanted == row.crop:
        return None
    row.crop, row.next_name = wanted, fresh_name()
    return _make(row, actor.user_id)


def _crop(row: ProductImage, crop: Sequence[int] | None) -> list[int] | None:
    if crop is None or list(crop) == [0, 0, row.source_width, row.source_height]:
        return None
    left, top, width, height = crop
    least = min(LEAST_CROP, row.source_width, row.source_height)
    if min(left, top) < 0 or left + width > row.source_width or top + height > row.source_height:
        raise Invalid.one("/crop", "crop_outside", width=row.source_width, height=row.source_height)
    if min(width, height) < least:
        raise Invalid.one("/crop", "crop_small", minimum=least)
    return [left, top, width, height]


@unit_of_work
def remove(actor: Actor, product_id: int, public_id: uuid.UUID, seller_id: int | None = None) -> None:
    """Delete an upload that is not shown, with its files.

    Raises:
        NotFound: absent, or of another party.
        Conflict: `picture_shown`.
    """
    row = _locked(product_id, public_id, seller_id)
    if row.position is not None:
        raise Conflict("picture_shown")
    audit.record(actor, "picture.removed", "product_image", row.id, before={"file": row.file_name})
    _delete(row)


def _delete(row: ProductImage) -> None:
    forget([*files_of(row.name), *files_of(row.next_name), *whole_file(row.whole), *filter(None, [row.original])])
    session.delete(row)


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker is to make. `crop` as in `edit`; `needs_whole`: the uncropped picture as well."""

    kind: str
    original: str
    name: str
    whole: str
    crop: list[int] | None
    needs_whole: bool


def order(image_id: int, name: str) -> Order | None:
    """The files that are wanted of an upload under this name; None when nobody wants them any more."""
    row = session.execute(
        sa.select(
            ProductImage.kind, ProductImage.original, ProductImage.next_name, ProductImage.whole, ProductImage.crop,
            ProductImage.state,
        ).where(ProductImage.id == image_id, ProductImage.next_name == name)
    ).one_or_none()  # fmt: skip
    return Order(*row[:5], needs_whole=row.state == "waiting") if row else None


@dataclass(frozen=True, slots=True)
class Made:
    """Sizes in pixels: of the largest file, and of the upright original."""

    width: int
    height: int
    source: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Fresh:
    """An upload that became ready for the first time."""

    public_id: uuid.UUID
    product_id: int
    seller_id: int | None
    user_id: int


@unit_of_work
def finish(image_id: int, name: str, whole: str, made: Made | str | None) -> Fresh | None:
    """Take the files of `name` into use, or note the code of why there are none. Nothing else stays in the storage.

    None: nothing was made, because nobody wanted it.

    Returns the upload when it is ready for the first time, to be shown or proposed.
    """
    product_id = session.scalar(sa.select(ProductImage.product_id).where(ProductImage.id == image_id))
    card = _locked_card(product_id) if product_id is not None else None
    rows = lock_rows(ProductImage, [image_id])
    if card is None or not rows:
        forget([*files_of(name), *whole_file(whole)])
        return None
    row: ProductImage = rows[0]
    if row.next_name != name or made is None:
        forget(files_of(name) if row.name != name else [])
        return None
    row.next_name = ""
    if isinstance(made, str):
        forget(files_of(name))
        if row.state == "waiting":
            forget([*whole_file(row.whole), row.original])
            row.state, row.error, row.original, row.whole = "refused", made, "", ""
        return None
    is_new, before = row.state == "waiting", row.name
    row.state, row.name, row.width, row.height = "ready", name, made.width, made.height
    row.source_width, row.source_height = made.source
    forget(files_of(before), STALE)
    if row.position == 0:
        card.picture = name
    if row.position is not None:
        changed("listing")
    return Fresh(row.public_id, row.product_id, row.seller_id, row.user_id) if is_new else None


def behind(ids: Sequence[uuid.UUID], fresh: Fresh, settled: Collection[uuid.UUID] = ()) -> list[uuid.UUID]:
    """The order with a fresh upload at its end, but before those that were sent after it and were ready sooner.

    Args:
        settled: what it does not step in front of.
    """
    place = len(ids)
    while place and ids[place - 1] > fresh.public_id and ids[place - 1] not in settled:  # ids sort by time
        place -= 1
    return [*ids[:place], fresh.public_id, *ids[place:]]


@unit_of_work
def show_last(fresh: Fresh) -> None:
    """Show an upload of the operator's behind the others, while there is room."""
    shown = shown_ids(fresh.product_id)
    if len(shown) < MOST_SHOWN:
        set_images(Actor(user_id=fresh.user_id), fresh.product_id, behind(shown, fresh))


@unit_of_work
def sweep(wanted: Sequence[uuid.UUID], limit: int = 500) -> int:
    """Delete uploads that were not shown for two weeks, and those that never got their file; how many.

    Args:
        wanted: uploads that still wait for the operator.
    """
    age = sa.func.now() - ProductImage.created_at
    unsent = sa.and_(ProductImage.state == "waiting", age > timedelta(days=7))
    rows = session.scalars(
        sa.select(ProductImage)
        .where(ProductImage.position.is_(None), ProductImage.public_id.not_in(wanted))
        .where(sa.or_(unsent, sa.and_(ProductImage.state != "waiting", age > UNUSED)))
        .order_by(ProductImage.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        _delete(row)
    return len(rows)
