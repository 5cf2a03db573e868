"""Pages of a card's photographs and documents. A seller and the operator use the same ones, see `Desk`."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, current_app, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access, texts
from app.access import Guarded
from app.catalog import documents, media_queries, pictures
from app.catalog.documents import NewDocument
from app.catalog.media_queries import CardHead, DeskPicture
from app.catalog.picture_files import MAX_BYTES, Upload
from app.core.errors import Conflict, DomainError, FieldError, Invalid, NotFound
from app.core.permissions import Actor, Permission
from app.texts import media as words
from app.web.carrier.forms import Field, Filled, number, read, refused
from app.web.htmx import redirect_to, render_live, render_page
from app.web.photos import document_file
from app.web.reading import key_of, sentence

SHAPES = {"4:3": (4, 3), "1:1": (1, 1)}
PLACES = ("start", "middle", "end")
DOCUMENT_FIELDS = (
    Field("kind", "", "choice", options=tuple(words.DOCUMENT_KINDS.items())),
    Field("number", "", required=False, most=100),
    Field("issuer", "", required=False, most=200),
    Field("issued_on", "", "day", required=False),
    Field("valid_until", "", "day", required=False),
)


@dataclass(frozen=True, slots=True)
class Desk:
    """Whose pages these are. A seller's cards are those the seller offers; `seller` is None for the operator."""

    name: str
    base: str
    permission: Permission
    seller: Callable[[Actor], int | None]
    card: Callable[[Actor, uuid.UUID], CardHead]
    order: Callable[[Actor, CardHead], Sequence[uuid.UUID] | None]
    """What is wished to be shown, where that differs from what is shown."""
    arrange: Callable[[Actor, CardHead, Sequence[uuid.UUID]], None]
    remove: Callable[[Actor, CardHead, uuid.UUID], None]
    frame: Callable[[Actor], dict[str, Any]]

    def url(self, card: CardHead, rest: str) -> str:
        """Address of a page of the card."""
        return f"{self.base}/{card.public_id}/{rest}"

    def routes(self, pages: Guarded) -> None:
        """Register the pages."""
        for method, path, view in (
            ("GET", "photographs", self.show),
            ("POST", "photographs", self.send),
            ("POST", "photographs/order", self.reorder),
            ("GET", "photographs/<picture>", self.show_one),
            ("POST", "photographs/<picture>", self.save_one),
            ("POST", "photographs/<picture>/delete", self.delete_one),
            ("GET", "documents", self.show_documents),
            ("POST", "documents", self.send_document),
            ("GET", "documents/<document>", self.open_document),
            ("POST", "documents/<document>/delete", self.delete_document),
        ):
            pages.add_url_rule(
                f"{self.base}/<product>/{path}", view.__name__, view, methods=[method], permission=self.permission
            )

    def _card(self, product: str) -> tuple[Actor, CardHead]:
        actor = access.actor()
        return actor, self.card(actor, key_of(product))

    def show(self, product: str) -> Response:
        """What is shown or proposed, in order, what lies unused, and the form for more."""
        return self._photographs(*self._card(product))

    def _photographs(self, actor: Actor, card: CardHead, error: str = "", status: int = 200) -> Response:
        known = {one.public_id: one for one in media_queries.desk_pictures(card.id, self.seller(actor))}
        wished = self.order(actor, card)
        present = [key for key, one in known.items() if one.position is not None]
        order = [known[key] for key in (present if wished is None else wished) if key in known]
        placed = {one.public_id for one in order}
        rest = [one for one in known.values() if one.public_id not in placed and self._matters(actor, one)]
        response = render_live(
            "media/photographs.html", "media/_photographs.html", done=not any(one.is_busy for one in known.values()),
            card=card, url=self.url(card, "photographs"), documents_url=self.url(card, "documents"), desk=self.name,
            order=order, rest=rest, differs=wished is not None and list(wished) != present, most=pictures.MOST_SHOWN,
            busy=any(one.is_busy for one in known.values()), own=self.seller(actor), error=error, why=why_refused,
            most_mb=MAX_BYTES // 1024 // 1024, **self.frame(actor),
        )  # fmt: skip
        response.status_code = status if status != 200 else response.status_code
        return response

    def _matters(self, actor: Actor, picture: DeskPicture) -> bool:
        """The operator is not shown what sellers sent in vain."""
        return picture.state == "ready" or picture.seller_id == self.seller(actor)

    def send(self, product: str) -> Response:
        """Take files; each is a row at once, so that the page may be left. Those that cannot be taken say why."""
        actor, card = self._card(product)
        files = [file for file in request.files.getlist("files") if file.filename]
        if not files:
            return self._photographs(actor, card, _("Choose at least one file."), 422)
        storage, seller = current_app.extensions["storage"], self.seller(actor)
        try:
            for file in files:
                upload = Upload(file.filename or "", file.read())
                try:
                    pictures.receive(actor, storage, card.id, upload, seller)
                except Invalid as wrong:
                    pictures.note_refused(actor, card.id, upload, wrong.errors[0].code, seller)
        except Conflict as full:
            return self._photographs(actor, card, sentence(full), full.status)
        return redirect_to(self.url(card, "photographs"))

    def reorder(self, product: str) -> Response:
        """Move one picture of the posted order: `do` is up, down, out or in, a colon, and its id."""
        actor, card = self._card(product)
        ids = [key_of(text) for text in request.form.getlist("image")]
        what, _colon, key = request.form.get("do", "").partition(":")
        try:
            self.arrange(actor, card, moved(ids, what, key_of(key)))
        except DomainError as error:
            if isinstance(error, NotFound):
                raise
            return self._photographs(actor, card, sentence(error), error.status)
        return redirect_to(f"{self.url(card, 'photographs')}#p-{key}")

    def show_one(self, product: str, picture: str) -> Response:
        """The crop of a picture, and what it shows in words."""
        actor, card = self._card(product)
        return self._one(actor, card, media_queries.desk_picture(card.id, key_of(picture), self.seller(actor)))

    def _one(
        self, actor: Actor, card: CardHead, found: DeskPicture, filled: Filled | None = None, status: int = 200
    ) -> Response:
        left, top, width, height = found.frame
        said = {
            "shape": "own" if found.crop else "whole", "place": "middle", "left": left, "top": top, "width": width,
            "height": height, "alt_ru": found.alt_ru, "alt_en": found.alt_en,
        }  # fmt: skip
        return render_page(
            "media/photograph.html", None, card=card, picture=found, list=self.url(card, "photographs"),
            url=self.url(card, f"photographs/{found.public_id}"), status=status,
            typed=said | dict(filled.typed if filled else {}), errors=filled.errors if filled else {},
            general=filled.general if filled else [],
            locked=self.seller(actor) is not None and found.position is not None, **self.frame(actor),
        )  # fmt: skip

    def save_one(self, product: str, picture: str) -> Response:
        """Have the files made with the new crop."""
        actor, card = self._card(product)
        found = media_queries.desk_picture(card.id, key_of(picture), self.seller(actor))
        form = request.form
        try:
            crop = read_crop(found)
            alt = (form.get("alt_ru", ""), form.get("alt_en", ""))
            pictures.edit(actor, card.id, found.public_id, crop, alt, self.seller(actor))
        except (Invalid, Conflict) as error:
            return self._one(actor, card, found, refused(error), error.status)
        flash(_("Saved."), "ok")
        return redirect_to(self.url(card, "photographs"))

    def delete_one(self, product: str, picture: str) -> Response:
        """Delete an upload that is not shown."""
        actor, card = self._card(product)
        try:
            self.remove(actor, card, key_of(picture))
        except Conflict as error:
            return self._photographs(actor, card, sentence(error), error.status)
        flash(_("Deleted."), "ok")
        return redirect_to(self.url(card, "photographs"))

    def show_documents(self, product: str) -> Response:
        """Documents of the card and the form for one more."""
        return self._documents(*self._card(product), Filled())

    def _documents(self, actor: Actor, card: CardHead, filled: Filled, status: int = 200) -> Response:
        return render_page(
            "media/documents.html", None, card=card, url=self.url(card, "documents"), desk=self.name, status=status,
            photographs_url=self.url(card, "photographs"), filled=filled, kinds=words.DOCUMENT_KINDS,
            rows=media_queries.documents(product_id=card.id, seller_id=self.seller(actor)),
            states=words.DOCUMENT_STATES, why=why_refused, **self.frame(actor),
        )  # fmt: skip

    def send_document(self, product: str) -> Response:
        """Take a document."""
        actor, card = self._card(product)
        file = request.files.get("file")
        upload = Upload(file.filename or "" if file else "", file.read() if file else b"")
        try:
            new = read_document()
            documents.add(actor, current_app.extensions["storage"], card.id, new, upload, self.seller(actor))
        except (Invalid, Conflict) as error:
            return self._documents(actor, card, refused(error), error.status)
        waits = self.seller(actor) is not None
        flash(_("Sent. The operator decides on it.") if waits else _("The document stands on the card."), "ok")
        return redirect_to(self.url(card, "documents"))

    def open_document(self, product: str, document: str) -> Response:
        """The file, whatever its state."""
        actor, _of = self._card(product)
        return document_file(media_queries.document(key_of(document), self.seller(actor)))

    def delete_document(self, product: str, document: str) -> Response:
        """Take a document away."""
        actor, card = self._card(product)
        documents.remove(actor, card.id, key_of(document), self.seller(actor))
        flash(_("Deleted."), "ok")
        return redirect_to(self.url(card, "documents"))


def moved(ids: Sequence[uuid.UUID], what: str, key: uuid.UUID) -> list[uuid.UUID]:
    """The order with one picture moved up or down, taken out or put in at the end.

    Raises:
        NotFound: there is no such move.
    """
    order = [one for one in ids if one != key]
    place = ids.index(key) if key in ids else len(order)
    if what == "out":
        return order
    step = {"up": -1, "down": 1, "in": 0}.get(what)
    if step is None:
        raise NotFound()
    order.insert(max(place + step, 0), key)
    return order


def read_crop(picture: DeskPicture) -> list[int] | None:
    """The crop of the posted form: all of it, a shape at a place, or numbers.

    Raises:
        Invalid: with every number that cannot be read.
    """
    form = request.form
    shape = form.get("shape", "whole")
    if shape == "whole":
        return None
    if shape in SHAPES:
        return shaped((picture.source_width, picture.source_height), SHAPES[shape], form.get("place", "middle"))
    errors: list[FieldError] = []
    found = []
    for name in ("left", "top", "width", "height"):
        try:
            found.append(number(form.get(name, ""), f"/{name}"))
        except Invalid as wrong:
            errors += wrong.errors
    if errors:
        raise Invalid(errors)
    return found


def shaped(size: tuple[int, int], shape: tuple[int, int], place: str) -> list[int]:
    """The largest rectangle of a shape in a picture, at its start, middle or end."""
    width = min(size[0], size[1] * shape[0] // shape[1])
    height = min(size[1], size[0] * shape[1] // shape[0])
    share = {"start": 0, "end": 2}.get(place, 1)
    return [(size[0] - width) * share // 2, (size[1] - height) * share // 2, width, height]


def read_document() -> NewDocument:
    """The posted form of a document; what cannot be read of it is refused together with the rest."""
    wrong: list[FieldError] = []
    values: dict[str, Any] = {}
    for one in DOCUMENT_FIELDS:
        try:
            values |= read([one])
        except Invalid as error:
            wrong += error.errors
    return NewDocument(
        values.get("kind", "passport"), values.get("number", ""),
        values.get("issuer", ""), values.get("issued_on"), values.get("valid_until"), wrong,
    )  # fmt: skip


def why_refused(code: str, kind: str = "") -> str:
    """The sentence for an upload that was not taken."""
    return str(texts.error_text(code, {"maximum": MAX_BYTES // 1024 // 1024, "kind": kind.upper()}))
