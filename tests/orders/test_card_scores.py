"""The completeness of cards equals a count by hand, and the ones that matter come first."""

from __future__ import annotations

import random
from decimal import Decimal
from fractions import Fraction
from typing import Any

from flask import Flask

from app.catalog import pictures
from app.catalog.media_models import ProductImage
from app.catalog.models import Attribute, Product, ProductValue
from app.core import clock
from app.core.db import session
from app.offers.models import Offer
from app.orders import card_scores
from tests.factories import catalog as make
from tests.factories import orders as people


def by_hand(product: Product) -> Fraction:
    facets = {a.id for a in session.query(Attribute).filter_by(category_id=product.category_id, is_facet=True)}
    said = {v.attribute_id for v in session.query(ProductValue).filter_by(product_id=product.id)} & facets
    shown = session.query(ProductImage).filter_by(product_id=product.id, position=0).count()
    facts = [product.description_ru != "", product.mass_kg > 0, product.volume_m3 > 0, shown > 0]
    return Fraction(len(said) + sum(facts), len(facets) + len(facts))


def test_scores_equal_a_count_by_hand(app: Flask, db_session: Any) -> None:
    chance, market = random.Random(4), make.market(sellers=2)
    places = [make.category(f"Раздел {n}") for n in range(3)]
    known = {p.id: [make.attribute(p, f"a{n}") for n in range(chance.randrange(4))] for p in places}
    if known[places[0].id]:
        known[places[0].id][0].is_facet = False
    products = []
    for _ in range(25):
        place = chance.choice(places)
        values = {a: "x" for a in known[place.id] if chance.random() < 0.5}
        made = make.product(
            place, values=values, description_ru=chance.choice(["", "Текст"]), mass_kg=chance.choice([0, 5]),
            volume_m3=chance.choice([Decimal(0), Decimal("0.1")]), status=chance.choice(["active", "active", "hidden"]),
        )  # fmt: skip
        uploads = [make.upload(made, market.sellers[0].user).public_id for _ in range(chance.randrange(3))]
        pictures.set_images(market.sellers[0], made.id, uploads[1:])
        for _offer in range(chance.randrange(3)):
            make.offer(market, made, chance.randrange(2), status=chance.choice(["active", "active", "hidden"]))
        products.append(made)
    session.commit()
    make.ready()
    for actor in market.sellers:
        offers = session.query(Offer).filter_by(seller_id=actor.seller_id, status="active")
        offered = {offer.product_id for offer in offers}
        scores = {p.id: by_hand(p) for p in products if p.id in offered and p.status == "active"}
        found = card_scores.of_seller(actor.seller_id)
        assert (found.cards, found.complete) == (len(scores), sum(score == 1 for score in scores.values()))
        assert abs(Fraction(found.score or 0) - sum(scores.values()) / len(scores)) < Fraction(1, 10**9)
        rows = card_scores.to_fill(actor.seller_id, clock.today())
        assert {row.id for row in rows} == {key for key, score in scores.items() if score < 1}
        assert all(abs(Fraction(row.score) - scores[row.id]) < Fraction(1, 10**9) for row in rows)
        assert [(-r.revenue, -r.offers, r.score, r.id) for r in rows] == sorted(
            (-r.revenue, -r.offers, r.score, r.id) for r in rows
        )
        page = people.signed_browser(app, actor).get("/seller/cards")
        assert page.text.count('/card"') == len(rows)
