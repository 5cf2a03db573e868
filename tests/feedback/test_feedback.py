"""Reviews by who was brought the goods, questions by anybody, answers by who sells: and what counts."""

from __future__ import annotations

import random
import uuid
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.catalog.models import Product, ProductListing
from app.core.db import session
from app.core.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from app.core.models import AuditEntry, Job
from app.core.permissions import Actor
from app.feedback import moderation, queries, questions, ratings, reviews
from app.feedback.models import Review
from app.feedback.reviews import Opinion, public_name
from app.offers.models import Offer, Seller
from app.orders import fulfilments, service
from app.orders.models import Order, OrderGroup, OrderLine
from tests.factories import orders as make
from tests.orders import steps

pytestmark = pytest.mark.usefixtures("db_session")
GOOD = Opinion(5, "Ложится ровно")


class Shop:
    """Two sellers; the first one's glue."""

    def __init__(self) -> None:
        self.market = make.market(sellers=2)
        self.seller, self.other = self.market.sellers
        self.offer = make.offer(self.market)
        self.product = session.get_one(Product, self.offer.product_id)
        session.commit()

    def buy(self, buyer: Actor, offer: Offer | None = None) -> OrderLine:
        [order] = steps.orders_of(steps.bought(buyer, (offer or self.offer, 4)))
        return session.scalars(sa.select(OrderLine).where(OrderLine.order_id == order.id)).one()

    def bring(self, line: OrderLine, delivered: int = 4) -> None:
        """Take the goods to the door, so many of four."""
        order = session.get_one(Order, line.order_id)
        [trip] = steps.trips_of(order)
        service.accept(self.seller, order.number)
        fulfilments.start_picking(self.seller, trip.public_id)
        fulfilments.ready(self.seller, trip.public_id)
        fulfilments.handed_over(trip.id)
        fulfilments.on_the_way(trip.id)
        outcome = "delivered" if delivered == 4 else "partially_delivered" if delivered else "failed"
        counted = [{"line": "1", "delivered": str(delivered), "delivered_base": str(delivered)}]
        fulfilments.complete(trip.id, outcome, "" if delivered == 4 else "refused", counted, None)

    def delivered_to(self, name: str = "Ольга Петрова") -> Actor:
        buyer = person(name)
        self.bring(self.buy(buyer))
        return buyer


def mails(template: str) -> list[dict[str, Any]]:
    rows = session.scalars(sa.select(Job.payload).where(Job.kind == "mail.send"))
    return [row for row in rows if row["template"] == template]


def person(name: str = "Покупатель Демо", **more: Any) -> Actor:
    """Somebody who is still there after a refused command has rolled back."""
    made = make.person(name, **more)
    session.commit()
    return made


def admin() -> Actor:
    return person("Оператор Демо", is_admin=True)


def test_only_who_was_brought_the_goods_reviews_them_and_once() -> None:
    shop = Shop()
    buyer = person("Ольга Петрова")
    with pytest.raises(Forbidden, match="not_received"):
        reviews.write(buyer, shop.product.id, GOOD)
    line = shop.buy(buyer)
    with pytest.raises(Forbidden, match="not_received"):
        reviews.write(buyer, shop.product.id, GOOD)  # ordered is not brought
    shop.bring(line, delivered=1)
    assert queries.of_product(shop.product.id, buyer.user).may_review
    assert not queries.of_product(shop.product.id, person().user).may_review
    assert not queries.of_product(shop.product.id, None).may_review
    with pytest.raises(Forbidden, match="not_received"):
        reviews.write(person(), shop.product.id, GOOD, line.public_id)  # another's line
    made = reviews.write(buyer, shop.product.id, Opinion(4, "  Клеит  ", "цена"), line.public_id)
    with pytest.raises(Conflict, match="already_reviewed"):
        reviews.write(buyer, shop.product.id, GOOD)
    [row] = queries.of_product(shop.product.id, None).reviews
    assert (row.public_id, row.author, row.text, row.stars) == (made, "Ольга П.", "Клеит", 4)
    assert row.seller_name == f"Продавец {shop.seller.seller_id}"
    with pytest.raises(NotFound):
        reviews.edit(person(), made, GOOD)
    reviews.edit(buyer, made, Opinion(2, "Отвалилось"), version=1)
    with pytest.raises(Stale):
        reviews.edit(buyer, made, GOOD, version=1)
    assert queries.review_of(buyer.user, made).stars == 2
    failed = person()
    line = shop.buy(failed)
    shop.bring(line, delivered=0)
    with pytest.raises(Forbidden, match="not_received"):
        reviews.write(failed, shop.product.id, GOOD)
    steps.check_everything_sums()


def test_a_seller_does_not_praise_the_own_goods() -> None:
    shop = Shop()
    shop.bring(shop.buy(shop.seller))
    with pytest.raises(Forbidden, match="own_goods"):
        reviews.write(shop.seller, shop.product.id, GOOD)


def test_wrong_fields_are_all_named() -> None:
    shop = Shop()
    buyer = shop.delivered_to()
    with pytest.raises(Invalid) as refused:
        reviews.write(buyer, shop.product.id, Opinion(6, " ", "x" * 1001))
    assert {(e.pointer, e.code) for e in refused.value.errors} == {
        ("/stars", "unknown_option"), ("/text", "required"), ("/pluses", "too_long"),
    }  # fmt: skip


def test_average_and_counts_are_those_of_the_reviews_that_are_shown() -> None:
    shop, operator, chance = Shop(), admin(), random.Random(7)
    [buyer] = [shop.delivered_to()]
    line = session.scalars(sa.select(OrderLine)).one()
    for _number in range(40):
        author = person()
        hidden = chance.random() < 0.3
        session.add(
            Review(
                user_id=author.user, product_id=shop.product.id, seller_id=shop.seller.seller_id, order_line_id=line.id,
                author="А", seller_name="П", stars=chance.randint(1, 5), text="т",
                hidden_at=sa.func.now() if hidden else None, hidden_reason="спам" if hidden else "",
            )
        )  # fmt: skip
    session.flush()
    own = reviews.write(buyer, shop.product.id, Opinion(1, "Плохо"))

    def by_hand() -> tuple[int, Decimal]:
        stars = [r.stars for r in session.query(Review).populate_existing() if not r.hidden_reason]
        return len(stars), (Decimal(sum(stars)) / len(stars)).quantize(Decimal("0.1"), ROUND_HALF_UP)

    def shown() -> tuple[int, Decimal | None]:
        rating = queries.of_product(shop.product.id, None).rating
        assert rating == queries.ratings([shop.product.id])[shop.product.id]
        return rating.count, rating.average

    before = by_hand()
    assert shown() == before
    moderation.hide(operator, "review", own, "брань")
    assert shown() == by_hand() != before
    assert queries.review_of(buyer.user, own).hidden_reason == "брань"  # the author sees why
    reviews.edit(buyer, own, GOOD)
    assert shown()[0] == before[0] - 1  # an edit does not bring it back
    moderation.show(operator, "review", own)
    assert shown() == by_hand()
    done = session.scalars(sa.select(AuditEntry.action).where(AuditEntry.entity == "review").order_by(AuditEntry.id))
    assert list(done) == ["review.hidden", "review.shown"]
    seen: list[int] = []
    before_id: int | None = None
    while page := queries.reviews_of_product(shop.product.id, before_id, 7):
        seen += [row.id for row in page]
        before_id = page[-1].id
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == len(seen) == shown()[0]


def test_sellers_are_rated_by_what_they_delivered_and_lists_show_it() -> None:
    shop, operator = Shop(), admin()
    first, second = shop.delivered_to("Ольга Петрова"), shop.delivered_to("Олег Петров")
    reviews.write(first, shop.product.id, Opinion(1, "Плохо"))
    own = reviews.write(second, shop.product.id, GOOD)
    assert ratings.settle() == 1
    assert ratings.settle() == 0

    def rated() -> tuple[Decimal, Decimal, Decimal]:
        session.expire_all()
        one, other = (session.get_one(Seller, actor.seller_id).rating for actor in (shop.seller, shop.other))
        return one, other, session.get_one(ProductListing, shop.product.id).rating

    assert rated() == (Decimal("3.71"), 0, Decimal("3.71"))  # (5 x 4 + 1 + 5) / 7
    moderation.hide(operator, "review", own, "брань")
    assert ratings.settle() == 1
    assert rated() == (Decimal("3.50"), 0, Decimal("3.50"))  # (5 x 4 + 1) / 6
    steps.check_everything_sums()


def test_the_seller_of_the_sale_answers_and_the_author_is_told_once() -> None:
    shop = Shop()
    buyer = shop.delivered_to()
    made = reviews.write(buyer, shop.product.id, GOOD)
    assert queries.waiting_for_seller(shop.seller.seller_id) == (1, 0)
    with pytest.raises(NotFound):
        reviews.answer(shop.other, made, "Не наш покупатель")
    reviews.answer(shop.seller, made, "Спасибо")
    reviews.answer(shop.seller, made, "Большое спасибо")
    assert [r.answer for r in queries.reviews_of_seller(shop.seller.seller_id, True, None, 9)] == ["Большое спасибо"]
    assert queries.waiting_for_seller(shop.seller.seller_id) == (0, 0)
    [mail] = mails("review_answered")
    assert mail["to"] == buyer.email
    assert mail["values"]["text"] == "Спасибо"


def test_a_question_is_answered_by_who_offers_the_product_and_by_the_operator() -> None:
    shop, asker, operator = Shop(), person("Иван"), admin()
    asked = questions.ask(asker, shop.product.id, "Морозостойкий?")
    for text in ("  ", "x" * 1001):
        with pytest.raises(Invalid):
            questions.ask(asker, shop.product.id, text)
    assert queries.waiting_for_seller(shop.seller.seller_id) == (0, 1)
    assert queries.waiting_for_seller(shop.other.seller_id) == (0, 0)
    with pytest.raises(NotFound):
        questions.answer(shop.other, asked, "Мы его не продаём")
    questions.answer(shop.seller, asked, "Да")
    questions.answer(shop.seller, asked, "Да, до минус десяти")
    questions.answer_as_operator(operator, asked, "Подтверждаем")
    questions.answer_as_operator(operator, asked, "Подтверждаем по паспорту")
    said = queries.of_product(shop.product.id, None)
    assert said.questions_count == 1
    name = shop.seller.memberships[0].organisation_name
    assert {(a.seller_name, a.text) for a in said.questions[0].answers} == {
        (name, "Да, до минус десяти"), ("", "Подтверждаем по паспорту"),
    }  # fmt: skip
    assert len(mails("question_answered")) == 2  # one for each who answered
    spam = next(a.public_id for a in said.questions[0].answers if a.seller_name)
    moderation.hide(operator, "answer", spam, "реклама")
    assert [a.seller_name for a in queries.of_product(shop.product.id, None).questions[0].answers] == [""]
    [row] = queries.questions_to_check(True, None, 9)
    assert {a.hidden_reason for a in row.answers} == {"реклама", ""}
    moderation.hide(operator, "question", asked, "не о товаре")
    assert queries.of_product(shop.product.id, None).questions == ()
    with pytest.raises(NotFound):
        questions.answer(shop.seller, asked, "Поздно")
    for kind, key in (("review", uuid.uuid4()), ("nothing", asked)):
        with pytest.raises(NotFound):
            moderation.hide(operator, kind, key, "причина")


@pytest.mark.parametrize(
    ("name", "shown"),
    [("Ольга Петрова", "Ольга П."), ("Иван", "Иван"), ("Анна мария Ли", "Анна М."), ("Пётр 2", "Пётр"), ("", "")],
)
def test_of_a_person_others_read_the_first_name_and_an_initial(name: str, shown: str) -> None:
    assert public_name(name) == shown


def test_the_whole_way_on_pages_and_by_json(app: Flask) -> None:
    shop = Shop()
    buyer = person("Ольга Петрова")
    line = shop.buy(buyer)
    shop.bring(line)
    session.commit()
    page, path = make.signed_browser(app, buyer), f"/product/{shop.product.slug}"
    link = f"/orders/lines/{line.public_id}/review"
    group = session.scalars(sa.select(OrderGroup.number).where(OrderGroup.user_id == buyer.user)).one()
    assert link in page.get(f"/orders/{group}").text
    assert page.get(link, follow_redirects=True).status_code == 200
    refused = page.post(f"{path}/review", data={"stars": "", "text": "Клеит крепко", "line": str(line.public_id)})
    assert refused.status_code == 422
    assert "Клеит крепко" in refused.text
    assert page.post(f"{path}/review", data={"stars": "4", "text": "Клеит крепко"}).status_code == 303
    stale = page.post(f"{path}/review", data={"stars": "5", "text": "Снова", "version": "7"})
    assert stale.status_code == 412
    assert "Снова" in stale.text
    assert page.post(f"{path}/ask", data={"text": "<b>Сохнет</b> долго?"}).status_code == 303
    seen = app.test_client().get(path).text
    assert "Клеит крепко" in seen
    assert "Ольга П." in seen
    assert "&lt;b&gt;Сохнет" in seen
    assert "Петрова" not in seen
    desk = make.signed_browser(app, shop.seller)
    [review] = queries.reviews_of_product(shop.product.id, None, 9)
    [asked] = queries.questions_of_product(shop.product.id, None, 9)
    empty = desk.post(f"/seller/reviews/{review.public_id}", data={"text": " "})
    assert empty.status_code == 422
    assert desk.post(f"/seller/reviews/{review.public_id}", data={"text": "Спасибо!"}).status_code == 303
    assert desk.post(f"/seller/questions/{asked.public_id}", data={"text": "Час"}).status_code == 303
    assert "Спасибо!" in desk.get("/seller/reviews?state=answered").text
    assert "Час" in desk.get("/seller/questions?state=answered").text
    head = make.signed_browser(app, admin())
    assert head.post(f"/admin/feedback/review/{review.public_id}", data={"do": "hide"}).status_code == 422
    hide = {"do": "hide", "reason": "спор с продавцом"}
    assert head.post(f"/admin/feedback/review/{review.public_id}", data=hide).status_code == 303
    assert "спор с продавцом" in head.get("/admin/feedback?state=hidden").text
    assert "спор с продавцом" in page.get(f"{path}/review").text
    assert "Клеит крепко" not in app.test_client().get(f"{path}/reviews").text
    by_json(app, shop, buyer, review.public_id)


def by_json(app: Flask, shop: Shop, buyer: Actor, hidden: uuid.UUID) -> None:
    """The same by the API: what is hidden does not count, answers and refusals have their codes."""
    calls, path = make.signed_api(app, buyer), f"/products/{shop.product.public_id}"
    head = make.signed_api(app, admin())
    sells, other = (make.signed_api(app, seller) for seller in shop.market.sellers)
    session.commit()
    seen = calls.get(f"{path}/reviews").json
    assert (seen["items"], seen["average"], seen["counts"]) == ([], None, [0, 0, 0, 0, 0])
    assert [r["hidden_reason"] for r in calls.get("/me/reviews").json["items"]] == ["спор с продавцом"]
    twice = calls.post(f"{path}/reviews", {"stars": 5, "text": "Ещё раз"})
    assert (twice.status_code, twice.json["code"]) == (409, "already_reviewed")
    assert calls.post(f"{path}/reviews", {"stars": 6, "text": ""}).json["errors"][0]["pointer"] == "/stars"
    changed = calls.patch(f"/me/reviews/{hidden}", {"stars": 3, "text": "Иначе"}, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    stale = calls.patch(f"/me/reviews/{hidden}", {"stars": 3, "text": "Иначе"}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert head.post(f"/admin/feedback/review/{hidden}/show").status_code == 204
    assert calls.get(f"{path}/reviews").json["average"] == "3"
    asked = calls.post(f"{path}/questions", {"text": "Вес мешка?"}).json["id"]
    assert [q["id"] for q in sells.get("/seller/questions").json["items"]] == [asked]
    assert other.post(f"/seller/questions/{asked}/answer", {"text": "25 кг"}).status_code == 404
    assert sells.post(f"/seller/questions/{asked}/answer", {"text": "25 кг"}).status_code == 204
    first = calls.get(f"{path}/questions?limit=1").json
    assert first["items"][0]["answers"][0]["text"] == "25 кг"
    older = calls.get(f"{path}/questions?cursor={first['next_cursor']}").json
    assert len(older["items"]) == 1
