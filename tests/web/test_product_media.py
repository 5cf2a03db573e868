"""Photographs and documents from a seller's form through the operator to buyers, in browsers without script."""

from __future__ import annotations

import html
import io
import re
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.catalog import pictures
from app.catalog.media_models import ProductDocument, ProductImage
from app.catalog.models import ProductChange
from app.core import clock
from app.core.db import session
from app.core.models import Job
from app.offers import card_changes
from tests.factories import catalog as make
from tests.factories import images
from tests.factories import orders as people
from workers import worker


class Desk:
    """Two sellers of whom one offers the product, an operator, a buyer; all in browsers."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.market = make.market(sellers=2)
        self.operator = people.person("Оператор", is_admin=True)
        self.leaf = make.category("Смеси")
        self.product = make.product(self.leaf, "Смесь тёплая")
        make.offer(self.market, self.product, 0)
        make.ready()
        self.seller, self.other = (people.signed_browser(app, one) for one in self.market.sellers)
        self.admin = people.signed_browser(app, self.operator)
        self.buyer = app.test_client()

    def url(self, rest: str, who: str = "seller") -> str:
        return f"/{who}/products/{self.product.public_id}/{rest}"

    def send(self, browser: FlaskClient, *files: tuple[str, bytes], who: str = "seller") -> TestResponse:
        data = {"files": [(io.BytesIO(content), name) for name, content in files]}
        return browser.post(self.url("photographs", who), data=data, content_type="multipart/form-data")

    def work(self) -> None:
        """Everything a worker would do, the youngest first: jobs are not done in the order of uploads."""
        session.execute(sa.update(Job).where(Job.state == "queued").values(run_at=sa.func.now()))
        for number in session.scalars(sa.select(Job.id).where(Job.state == "queued").order_by(Job.id.desc())).all():
            worker.run_in_context(number, self.app)
        session.expire_all()

    def image(self, name: str) -> ProductImage:
        return session.scalars(sa.select(ProductImage).where(ProductImage.file_name == name)).one()

    def change(self) -> ProductChange:
        return session.scalars(sa.select(ProductChange).order_by(ProductChange.id.desc()).limit(1)).one()


@pytest.fixture
def desk(app: Flask, db_session: Any) -> Desk:
    return Desk(app)


def text_of(answer: TestResponse) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).replace("\u00a0", " ").split())


def sources(answer: TestResponse) -> list[str]:
    return re.findall(r'<img src="(/media/[^"]+)"', answer.text)


def hidden(page: str, name: str) -> list[str]:
    return re.findall(rf'name="{name}" value="([^"]+)"', page)


def test_a_sellers_photographs_reach_buyers_through_the_operator(
    desk: Desk, count_queries: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    first, second = (images.encoded(images.quarters(width, 750)) for width in (1000, 500))
    gif = b"GIF89a" + b"\0" * 64
    sent = desk.send(desk.seller, ("first.jpg", first), ("bad.jpg", gif), ("second.jpg", second))
    assert sent.status_code == 303
    page = desk.seller.get(desk.url("photographs"))
    assert 'hx-trigger="every 1s"' in page.text, "followed while a worker is at it"
    assert "Это не JPEG, PNG и не WebP" in page.text
    desk.work()
    page = desk.seller.get(desk.url("photographs"))
    assert "every 1s" not in page.text
    assert "Этот порядок ждёт решения оператора" in text_of(page)
    wished = [str(desk.image(name).public_id) for name in ("first.jpg", "second.jpg")]
    assert hidden(page.text, "image") == wished
    assert sources(desk.buyer.get(f"/product/{desk.product.slug}")) == []

    order = {"image": wished, "do": f"up:{wished[1]}"}
    assert desk.seller.post(desk.url("photographs/order"), data=order).status_code == 303
    crop = {"shape": "own", "left": "0", "top": "375", "width": "500", "height": "375", "alt_ru": "Мешок спереди"}
    outside = desk.seller.post(desk.url(f"photographs/{wished[0]}"), data=crop | {"width": "5000"})
    assert outside.status_code == 422
    assert 'value="5000"' in outside.text, "what was typed is kept"
    assert "выходит за край снимка 1000 × 750" in text_of(outside)

    queue = desk.admin.get("/admin/changes")
    [seen] = hidden(queue.text, "seen")
    decision = {"decision": "approve", "seen": seen, "version": hidden(queue.text, "version")[0]}
    assert len(sources(queue)) == 2
    assert desk.seller.post(desk.url(f"photographs/{wished[0]}"), data=crop).status_code == 303
    desk.work()
    where = f"/admin/changes/{desk.change().public_id}"
    assert desk.admin.post(where, data=decision).status_code == 409, "it was cropped since the operator looked"
    decision["seen"] = hidden(desk.admin.get(where).text, "seen")[0]
    assert desk.admin.post(where, data=decision).status_code == 303
    assert desk.change().status == "approved"

    main = desk.image("second.jpg")
    for address in (f"/product/{desk.product.slug}", f"/catalog/{desk.leaf.slug}", "/search?q=смесь"):
        desk.buyer.get(address)
        with count_queries() as asked:
            shown = desk.buyer.get(address)
        assert len(asked) <= 5, (address, asked)
        assert sources(shown)[0] == f"/media/{main.name}-640.webp"
        assert f"/media/{main.name}-640.avif 640w" in shown.text
    page = desk.buyer.get(f"/product/{desk.product.slug}")
    [eager] = re.findall(r'<img [^>]*fetchpriority="high"', page.text)
    assert main.name in eager, "the first picture and no other comes first"
    assert 'href="#photo-2"' in page.text
    assert 'alt="Мешок спереди"' in page.text
    assert main.name in desk.buyer.get("/search/suggest?q=смес").text
    offer = hidden(page.text, "offer_id")[0]
    desk.buyer.post("/cart/lines", data={"offer_id": offer, "quantity": "1"})
    assert sources(desk.buyer.get("/cart")) == [f"/media/{main.name}-640.webp"]
    files = session.scalars(sa.select(ProductImage.name).where(ProductImage.name != "")).all()
    for width in (320, 640, 1280):
        content = desk.buyer.get(f"/media/{desk.image('first.jpg').name}-{width}.webp").data
        assert images.corners(content) == ["blue"] * 4
    assert len(files) == 2

    kept = desk.seller.post(desk.url(f"photographs/{wished[0]}"), data={"shape": "1:1"})
    assert kept.status_code == 409, "what buyers see is changed through the operator only"
    assert desk.seller.post(desk.url(f"photographs/{wished[0]}/delete")).status_code == 409
    assert pictures.shown_ids(desk.product.id) == [uuid.UUID(one) for one in reversed(wished)]


def test_an_order_that_asks_for_nothing_is_withdrawn_and_words_keep_waiting_photographs(desk: Desk) -> None:
    desk.send(desk.seller, ("a.jpg", images.encoded(images.quarters())))
    desk.work()
    seller, product = desk.market.sellers[0], desk.product.public_id
    key = str(desk.image("a.jpg").public_id)
    card_changes.send(seller, product, {"fields": {"article": "НОВЫЙ"}})
    assert desk.change().payload == {"images": [key], "fields": {"article": "НОВЫЙ"}}
    desk.seller.post(desk.url("photographs/order"), data={"image": [key], "do": f"out:{key}"})
    assert desk.change().payload == {"fields": {"article": "НОВЫЙ"}}
    card_changes.withdraw(seller, desk.change().public_id)
    desk.seller.post(desk.url("photographs/order"), data={"image": [], "do": f"in:{key}"})
    assert desk.change().payload == {"images": [key]}
    assert desk.seller.post(desk.url(f"photographs/{key}/delete")).status_code == 303
    session.expire_all()
    assert desk.change().status == "withdrawn"
    assert session.scalar(sa.select(sa.func.count()).select_from(ProductImage)) == 0


def test_what_others_send_is_out_of_reach(desk: Desk) -> None:
    """The matrix tries strangers; here both offer the product, so only the upload is foreign."""
    make.offer(desk.market, desk.product, 1)
    session.commit()
    desk.send(desk.seller, ("a.jpg", images.encoded(images.quarters())))
    desk.work()
    key = str(desk.image("a.jpg").public_id)
    assert desk.seller.get(desk.url(f"photographs/{key}")).status_code == 200
    assert desk.other.get(desk.url(f"photographs/{key}")).status_code == 404
    assert "a.jpg" not in desk.other.get(desk.url("photographs")).text
    assert desk.other.post(desk.url(f"photographs/{key}/delete")).status_code == 404
    taken = desk.other.post(desk.url("photographs/order"), data={"image": [key], "do": f"up:{key}"})
    assert taken.status_code == 422
    stranger = people.signed_api(desk.app, people.member("seller"))
    session.commit()
    path = f"/products/{desk.product.public_id}/images"
    assert [stranger.get(path).status_code, stranger.put(path, {"images": []}).status_code] == [404, 404]


def test_files_are_served_as_what_they_are_and_nothing_else_is(desk: Desk) -> None:
    desk.send(desk.admin, ("a.png", images.encoded(images.quarters(), "PNG")), who="admin")
    desk.work()
    row = desk.image("a.png")
    assert pictures.shown_ids(desk.product.id) == [row.public_id], "the operator's stands at once"
    for form in ("avif", "webp"):
        answer = desk.buyer.get(f"/media/{row.name}-640.{form}")
        assert (answer.status_code, answer.mimetype) == (200, f"image/{form}")
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        again = desk.buyer.get(f"/media/{row.name}-640.{form}", headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
    original = row.original.rpartition("/")[2]
    for name in (
        f"{'0' * 32}-640.webp", f"{row.name}-641.webp", f"{row.name}-640.jpg", original, f"../{row.original}",
        f"..%2f{row.original}", f"%2e%2e/{row.original}", row.original, f"{row.name}-640.webp/..", "..%5c..%5cwsgi.py",
    ):  # fmt: skip
        assert desk.buyer.get(f"/media/{name}").status_code == 404, name


def test_documents_wait_for_the_operator_and_end_with_their_last_day(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = clock.today()
    said = {"kind": "certificate", "number": "РОСС RU.1", "issuer": "Орган", "valid_until": str(today)}

    def send(browser: FlaskClient, name: str, content: bytes, who: str = "seller", **more: str) -> TestResponse:
        data = said | more | {"file": (io.BytesIO(content), name)}
        return browser.post(desk.url("documents", who), data=data, content_type="multipart/form-data")

    wrong = send(desk.seller, "a.pdf", images.PDF[:-8], number="", valid_until=str(today - timedelta(days=1)))
    assert wrong.status_code == 422
    for sentence in ("Заполните это поле", "PDF обрывается", "Этот день прошёл"):
        assert sentence in text_of(wrong)
    assert send(desk.seller, "page.pdf", b"<html>").status_code == 422
    assert send(desk.seller, "a.pdf", images.PDF).status_code == 303
    assert send(desk.seller, "scan.jpg", images.from_a_phone(images.quarters()), kind="fire").status_code == 303
    desk.work()
    page = f"/product/{desk.product.slug}"
    assert "РОСС RU.1" not in desk.buyer.get(page).text
    rows = session.scalars(sa.select(ProductDocument).order_by(ProductDocument.id)).all()
    for row in rows:
        assert desk.buyer.get(f"/documents/{row.public_id}").status_code == 404
        assert desk.other.get(desk.url(f"documents/{row.public_id}")).status_code == 404
        assert desk.admin.post(f"/admin/documents/{row.public_id}", data={"decision": "approve"}).status_code == 303
    shown = text_of(desk.buyer.get(page))
    assert "Сертификат соответствия РОСС RU.1" in shown
    assert "Пожарный сертификат РОСС RU.1" in shown
    pdf, scan = (desk.buyer.get(f"/documents/{row.public_id}") for row in rows)
    assert (pdf.mimetype, pdf.data) == ("application/pdf", images.PDF)
    assert pdf.headers["Content-Disposition"] == 'attachment; filename="certificate-RU.1.pdf"'
    assert "sandbox" in pdf.headers["Content-Security-Policy"]
    assert scan.mimetype == "image/jpeg"
    assert b"SecretCamera" not in scan.data
    assert images.corners(scan.data) == list(images.COLOURS)

    monkeypatch.setattr(clock, "today", lambda: today + timedelta(days=1))
    assert "РОСС RU.1" not in desk.buyer.get(page).text
    assert desk.buyer.get(f"/documents/{rows[0].public_id}").status_code == 404
    assert "истёк, не показан" in text_of(desk.seller.get("/seller/documents"))
    assert "истёк, не показан" in text_of(desk.admin.get("/admin/documents?view=expired"))


def test_the_api_does_the_same(desk: Desk) -> None:
    seller = people.signed_api(desk.app, desk.market.sellers[0])
    admin = people.signed_api(desk.app, desk.operator)
    session.commit()
    path = f"/products/{desk.product.public_id}/images"
    plain = desk.app.test_client(use_cookies=False)

    def send(who: Any, address: str, name: str, content: bytes, **fields: str) -> TestResponse:
        return plain.post(
            f"/api/v1{address}", data=fields | {"file": (io.BytesIO(content), name)},
            headers={"Authorization": f"Bearer {who.token}"}, content_type="multipart/form-data",
        )  # fmt: skip

    refused = send(seller, path, "a.gif", b"GIF89a")
    assert (refused.status_code, refused.json["errors"][0]["code"]) == (422, "picture_kind")
    sent = [send(who, path, "a.jpg", images.encoded(images.quarters())) for who in (seller, admin)]
    assert [one.status_code for one in sent] == [202, 202]
    assert seller.get(f"/jobs/{sent[0].json['job']['id']}").status_code == 200
    desk.work()
    own, shown = sent[0].json["id"], sent[1].json["id"]
    told = seller.get(path).json
    assert [(one["id"], one["position"]) for one in told["items"]] == [(shown, 0), (own, None)]
    assert told["proposed"] in ([own], [shown, own]), "it does not step in front of what is shown"
    detail = seller.get(f"/products/{desk.product.public_id}").json
    [image] = detail["images"]
    assert [(one["width"], one["height"]) for one in image["sizes"]] == [(320, 240), (640, 480)]
    assert plain.get(image["sizes"][0]["avif"]).mimetype == "image/avif"
    listed = seller.get(f"/products?category={desk.leaf.slug}").json["items"][0]
    suggested = seller.get("/search/suggest?q=смес").json["products"][0]
    assert detail["image"] == listed["image"] == suggested["image"] == f"/media/{desk_name(shown)}-640.webp"
    asked = seller.put(path, {"images": [own, shown]})
    assert (asked.status_code, asked.json["proposed"]) == (202, [own, shown])
    assert admin.put(path, {"images": [own]}).status_code == 202
    assert pictures.shown_ids(desk.product.id) == [uuid.UUID(own)]
    cropped = admin.patch(f"{path}/{own}", {"crop": [0, 0, 320, 240], "alt_en": "Bag"})
    assert (cropped.status_code, cropped.json["items"][0]["busy"]) == (200, True)
    assert admin.delete(f"{path}/{own}").status_code == 409
    papers = f"/products/{desk.product.public_id}/documents"
    made = send(admin, papers, "a.pdf", images.PDF, kind="passport")
    assert (made.status_code, made.json["state"]) == (201, "approved")
    [paper] = seller.get(papers).json
    assert plain.get(paper["url"]).data == images.PDF


def desk_name(public_id: str) -> str:
    """The file name of an upload."""
    return session.scalars(sa.select(ProductImage.name).where(ProductImage.public_id == uuid.UUID(public_id))).one()
