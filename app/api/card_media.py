"""Photographs and documents of products: a seller's wait for the operator, the operator's own show at once."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Literal

from flask import current_app, request
from pydantic import Field, RootModel

from app import access
from app.api.kernel import Answer, Api, accepted, given_id
from app.api.media_shapes import DocumentOut, ImageFile, document_out, image_sizes
from app.api.schemas import JobOut, Schema
from app.catalog import documents, media_queries, pictures, queries
from app.catalog.documents import NewDocument
from app.catalog.media_queries import CardHead, DeskPicture
from app.catalog.picture_files import Upload
from app.core.permissions import Actor, Permission
from app.offers import picture_changes
from app.web.product_media import why_refused

api = Api("card_media", tag="Catalogue")


class UploadForm(Schema):
    """The picture is the part `file`; nothing else is said of it."""


class ImageAccepted(JobOut):
    """The job that makes its sizes, and the upload."""

    id: uuid.UUID


class UploadOut(Schema):
    """An upload. `position` on the card, 0 first, null when it is not shown; `crop`: left, top, width and height in
    pixels of the upright original, null for all of it; `busy` while files are made."""

    id: uuid.UUID
    file_name: str
    state: Literal["waiting", "ready", "refused"]
    error: str | None
    message: str | None
    busy: bool
    position: int | None
    crop: list[int] | None
    source_width: int
    source_height: int
    alt_ru: str
    alt_en: str
    sizes: list[ImageFile]


class UploadsOut(Schema):
    """What the card shows, then own uploads that it does not. `proposed`: the order that waits for the operator."""

    items: list[UploadOut]
    proposed: list[uuid.UUID] | None
    change: uuid.UUID | None


class OrderIn(Schema):
    """Photographs in the order in which they are to be shown; the first stands in lists."""

    images: list[uuid.UUID] = Field(max_length=pictures.MOST_SHOWN)


class ImagePatch(Schema):
    """The crop (null takes all of the picture) and what it shows in words."""

    crop: list[int] | None = Field(default=None, min_length=4, max_length=4)
    alt_ru: str = Field(default="", max_length=200)
    alt_en: str = Field(default="", max_length=200)


def _card(product: str) -> tuple[Actor, CardHead, int | None]:
    """Who asks, the card, and the seller that is worked for; None for the operator."""
    actor, key = access.actor(), given_id(product)
    if actor.is_admin:
        return actor, media_queries.card_head(key), None
    return actor, picture_changes.offered_card(actor.seller_id, key), actor.seller_id


def _upload() -> Upload:
    file = request.files.get("file")
    return Upload(file.filename or "" if file else "", file.read() if file else b"")


def _out(row: DeskPicture) -> UploadOut:
    return UploadOut(
        id=row.public_id, file_name=row.file_name, state=row.state, error=row.error or None,
        message=why_refused(row.error, row.kind) if row.error else None, busy=row.is_busy, position=row.position,
        crop=row.crop, source_width=row.source_width, source_height=row.source_height, alt_ru=row.alt_ru,
        alt_en=row.alt_en, sizes=image_sizes(row.name, row.width, row.height) if row.name else [],
    )  # fmt: skip


def _uploads(card: CardHead, seller_id: int | None) -> UploadsOut:
    wish = picture_changes.wish(seller_id, card.id) if seller_id is not None else None
    return UploadsOut(
        items=[_out(row) for row in media_queries.desk_pictures(card.id, seller_id)],
        proposed=wish.images if wish else None, change=wish.public_id if wish and wish.images is not None else None,
    )  # fmt: skip


@api.get("/products/{product}/images", permission=Permission.CATALOGUE_CHANGE, answer=UploadsOut, summary="Photographs")
def images(product: str) -> UploadsOut:
    """For those who arrange them; buyers find photographs in the product."""
    _actor, card, seller_id = _card(product)
    return _uploads(card, seller_id)


@api.post(
    "/products/{product}/images", permission=Permission.CATALOGUE_CHANGE, form=UploadForm, answer=ImageAccepted,
    status=202, summary="Send a photograph",
)  # fmt: skip
def send_image(product: str, form: UploadForm) -> Answer:
    """JPEG, PNG or WebP, up to 15 MB and 40 megapixels, in the part `file`. A worker makes its sizes; then the
    operator's is shown behind the others, and a seller's is added to the change that waits for the operator."""
    actor, card, seller_id = _card(product)
    received = pictures.receive(actor, current_app.extensions["storage"], card.id, _upload(), seller_id)
    answer = accepted(received.job_id)
    assert isinstance(answer.body, JobOut)
    return Answer(ImageAccepted(job=answer.body.job, id=received.public_id), 202, answer.headers)


@api.put(
    "/products/{product}/images", permission=Permission.CATALOGUE_CHANGE, body=OrderIn, answer=UploadsOut, status=202,
    summary="Arrange photographs", example={"images": ["01a0b1c2-0000-7000-8000-000000000001"]},
)  # fmt: skip
def arrange_images(product: str, body: OrderIn) -> UploadsOut:
    """The operator's order shows at once; a seller's is a change of the card that waits for the operator."""
    actor, card, seller_id = _card(product)
    if seller_id is None:
        pictures.set_images(actor, card.id, body.images)
    else:
        picture_changes.propose(actor, card.public_id, body.images)
    return _uploads(card, seller_id)


@api.patch(
    "/products/{product}/images/{image}", permission=Permission.CATALOGUE_CHANGE, body=ImagePatch, answer=UploadsOut,
    summary="Crop a photograph", example={"crop": [0, 0, 640, 480], "alt_ru": "Мешок, вид спереди"},
)  # fmt: skip
def edit_image(product: str, image: str, body: ImagePatch) -> UploadsOut:
    """Its files are made anew under other addresses; a seller's that buyers see stays as it is."""
    actor, card, seller_id = _card(product)
    pictures.edit(actor, card.id, given_id(image), body.crop, (body.alt_ru, body.alt_en), seller_id)
    return _uploads(card, seller_id)


@api.delete(
    "/products/{product}/images/{image}", permission=Permission.CATALOGUE_CHANGE, summary="Delete an upload", status=204
)
def remove_image(product: str, image: str) -> None:
    """Only one that is not shown."""
    actor, card, seller_id = _card(product)
    if seller_id is None:
        pictures.remove(actor, card.id, given_id(image))
    else:
        picture_changes.remove(actor, card.public_id, given_id(image))


class DocumentForm(Schema):
    """What the document in the part `file` says of itself."""

    kind: Literal["certificate", "declaration", "fire", "passport", "instruction"]
    number: str = Field(default="", max_length=100)
    issuer: str = Field(default="", max_length=200)
    issued_on: date | None = None
    valid_until: date | None = None


class DocumentsOut(RootModel[list[DocumentOut]]):
    """Documents in date."""


class OwnDocument(Schema):
    """A document as it was taken: `approved` stands on the card, `pending` waits for the operator, `waiting` for a
    worker that makes a clean picture of it."""

    id: uuid.UUID
    state: Literal["waiting", "pending", "approved", "declined", "refused"]


@api.get("/products/{product}/documents", permission=Permission.PUBLIC, answer=DocumentsOut, summary="Documents")
def product_documents(product: str) -> DocumentsOut:
    """Certificates and papers that buyers may fetch; those out of date are not among them."""
    return DocumentsOut([document_out(row) for row in queries.product(given_id(product)).documents])


@api.post(
    "/products/{product}/documents", permission=Permission.CATALOGUE_CHANGE, form=DocumentForm, answer=OwnDocument,
    status=201, summary="Send a document",
)  # fmt: skip
def send_document(product: str, form: DocumentForm) -> OwnDocument:
    """PDF, JPEG or PNG, up to 20 MB, in the part `file`."""
    actor, card, seller_id = _card(product)
    new = NewDocument(form.kind, form.number, form.issuer, form.issued_on, form.valid_until)
    added = documents.add(actor, current_app.extensions["storage"], card.id, new, _upload(), seller_id)
    row = next(
        one for one in media_queries.documents(product_id=card.id, seller_id=seller_id)
        if one.public_id == added.public_id
    )  # fmt: skip
    return OwnDocument(id=row.public_id, state=row.state)
