"""Goods for estimates: products in the leaf categories that assemblies name, and the worker that prices."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa
from flask import Flask

from app.catalog.models import Attribute, Category, Product
from app.core.db import session
from app.core.models import Job
from app.offers.models import Offer
from tests.factories import catalog as make
from workers import worker


class Goods:
    """A market whose leaves are made when they are asked for."""

    def __init__(self, sellers: int = 1) -> None:
        self.market = make.market(sellers)
        self._leaves: dict[str, Category] = {}
        self._attributes: dict[tuple[str, str], Attribute] = {}

    def leaf(self, slug: str) -> Category:
        if slug not in self._leaves:
            row = make.category(slug)
            row.slug = slug
            session.flush()
            self._leaves[slug] = row
        return self._leaves[slug]

    def _attribute(self, slug: str, key: str) -> Attribute:
        if (slug, key) not in self._attributes:
            self._attributes[slug, key] = make.attribute(self.leaf(slug), key)
        return self._attributes[slug, key]

    def product(
        self, slug: str, name: str, unit: str, content: tuple[str, int, int] | None = None, **values: str
    ) -> Product:
        """A product of the leaf; `values` by attribute key."""
        own = {self._attribute(slug, key): value for key, value in values.items()}
        return make.product(self.leaf(slug), name, unit=unit, content=content, values=own)

    def sell(self, what: Product, price: int = 10_000, stock: int = 1000, seller: int = 0, **fields: Any) -> Offer:
        return make.offer(self.market, what, seller, price=price, stock=stock, **fields)

    def ready(self) -> None:
        make.ready()

    def tape(self, price: int = 20_000, stock: int = 1000, name: str = "Лента 30 м") -> Product:
        """Joint tape, sold in rolls of 30 m: the product is counted in rolls."""
        made = self.product("joint_tape", name, "roll", ("m", 1, 30))
        self.sell(made, price, stock)
        return made


def board(goods: Goods, name: str = "ГКЛ 12,5", thick: str = "12.5", kind: str = "ГКЛ (ГСП-А)") -> Product:
    """A board of 3 m²."""
    return goods.product("gypsum_board", name, "sheet", ("m2", 1, 3), thick_mm=thick, type=kind)


def stud(goods: Goods, size: str = "50х50", name: str = "Профиль ПС") -> Product:
    """A bar of 3 m."""
    return goods.product("stud_profile", f"{name} {size}", "pcs", ("m", 1, 3), size=size)


def track(goods: Goods, size: str = "50х40") -> Product:
    """A bar of 3 m; a track is named by its web and its flange, 50х40 belongs to a stud 50х50."""
    return goods.product("track_profile", f"Профиль ПН {size}", "pcs", ("m", 1, 3), size=size)


def run(app: Flask, job: uuid.UUID) -> str:
    """Let the worker do this job now; returns the state it ends in."""
    number = session.scalars(sa.select(Job.id).where(Job.public_id == job)).one()
    session.execute(sa.update(Job).where(Job.id == number).values(run_at=sa.func.now() - sa.text("interval '1 s'")))
    session.commit()
    worker.run_in_context(number, app)
    return session.scalars(sa.select(Job.state).where(Job.id == number)).one()
