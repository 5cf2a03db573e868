"""Assemblies and estimates."""

from __future__ import annotations

import uuid
from fractions import Fraction
from typing import Any, Literal

from pydantic import Field

from app import access
from app.api.cart import CartOut, cart_out
from app.api.kernel import PREFIX, Answer, Api, etag, expected_version, given_id
from app.api.schemas import JobState, MoneyOut, Page, PageQuery, Schema, Utc, money, part_of
from app.core.errors import Invalid, NotFound
from app.core.permissions import Permission
from app.core.units import to_api
from app.estimates import queries, service
from app.estimates.assemblies import Assembly, Input, assemblies, bundles, sources
from app.estimates.service import Item
from app.orders import queries as orders

api = Api("estimates", tag="Estimates")


class InputOut(Schema):
    key: str
    name_ru: str
    name_en: str
    unit: str
    default: str
    min: str | None
    max: str | None
    options: list[str]


class SourceOut(Schema):
    id: str
    title: str
    ref: str
    unconfirmed: bool


class AssemblyLineOut(Schema):
    id: str
    name_ru: str
    name_en: str
    category: str
    formula: str
    unit: str
    waste_pct: str
    norm: str
    spec: dict[str, str]
    sources: list[SourceOut]


class AssembliesQuery(PageQuery):
    """The list is short and closed, so one page shows it whole."""

    limit: int = Field(default=100, ge=1, le=100)


class AssemblyRow(Schema):
    id: str
    kind: Literal["assembly", "bundle"]
    name_ru: str
    name_en: str
    group: str
    inputs: list[InputOut]


class AssemblyOut(AssemblyRow):
    work_unit: str
    lines: list[AssemblyLineOut]
    uses: list[str]


class ItemIn(Schema):
    """`assembly` or `bundle` names the work; inputs are decimal texts, numbers or option texts."""

    assembly: str | None = Field(default=None, max_length=60)
    bundle: str | None = Field(default=None, max_length=60)
    inputs: dict[str, str | int | float | bool] = Field(default_factory=dict, max_length=40)

    def item(self, number: int) -> Item:
        """As the service takes it.

        Raises:
            Invalid: neither or both are named.
        """
        key = self.assembly or self.bundle
        if key is None or (self.assembly and self.bundle):
            raise Invalid.one(f"/items/{number}/assembly", "required")
        return Item(key, {k: _typed(v) for k, v in self.inputs.items()})


def _typed(value: str | int | float | bool) -> str:
    return ("1" if value else "0") if isinstance(value, bool) else str(value)


class EstimateIn(Schema):
    title: str = Field(default="", max_length=200)
    items: list[ItemIn] = Field(min_length=1, max_length=50)


class EstimatePatch(Schema):
    title: str | None = Field(default=None, max_length=200)
    items: list[ItemIn] | None = Field(default=None, min_length=1, max_length=50)


class LinePatch(Schema):
    product: uuid.UUID | None = None
    waste_pct: str | None = Field(default=None, max_length=20)


class PackOut(Schema):
    unit: str
    content: str
    content_unit: str


class ProductRef(Schema):
    id: uuid.UUID
    slug: str
    name_ru: str
    name_en: str


class OfferRef(Schema):
    id: uuid.UUID
    seller: str


class EstimateLineOut(Schema):
    id: uuid.UUID
    assembly_line: str
    name_ru: str
    name_en: str
    category: str
    base: str
    gross: str
    unit: str
    packs: int | None
    pack: PackOut | None
    product: ProductRef | None
    offer: OfferRef | None
    price: MoneyOut | None
    total: MoneyOut | None
    mass_kg: str | None
    volume_m3: str | None
    formula: str
    sources: list[SourceOut]
    parts: list[dict[str, Any]]
    problem: str
    relaxed: list[str]


class TotalsOut(Schema):
    goods: MoneyOut | None
    mass_kg: str | None
    volume_m3: str | None


class EstimateOut(Schema):
    id: uuid.UUID
    title: str
    state: Literal["pricing", "priced", "failed"]
    items: list[dict[str, Any]]
    lines: list[EstimateLineOut]
    totals: TotalsOut
    priced_at: Utc | None
    version: int
    job: JobState | None


class EstimateRowOut(Schema):
    id: uuid.UUID
    title: str
    state: Literal["pricing", "priced", "failed"]
    goods: MoneyOut | None
    lines: int
    created_at: Utc


def _plain(value: Fraction | None) -> str | None:
    return None if value is None else to_api(value)


def _inputs(given: tuple[Input, ...]) -> list[InputOut]:
    return [
        InputOut(key=i.key, name_ru=i.ru, name_en=i.en, unit=i.unit, default=i.default, min=_plain(i.minimum),
                 max=_plain(i.maximum), options=list(i.options))
        for i in given
    ]  # fmt: skip


def _sources(ids: tuple[str, ...]) -> list[SourceOut]:
    known = sources()
    return [SourceOut(id=s, title=known[s].title, ref=known[s].ref, unconfirmed=known[s].is_unconfirmed) for s in ids]


@api.get(
    "/assemblies", permission=Permission.PUBLIC, query=AssembliesQuery, answer=Page[AssemblyRow],
    summary="Work that can be counted",
)  # fmt: skip
def list_assemblies(query: AssembliesQuery) -> Page[AssemblyRow]:
    """All assemblies, then the bundles; one page holds them all."""
    rows = [
        AssemblyRow(id=a.id, kind="assembly", name_ru=a.ru, name_en=a.en, group=a.group, inputs=_inputs(a.inputs))
        for a in assemblies().values()
    ]
    rows += [
        AssemblyRow(id=b.id, kind="bundle", name_ru=b.ru, name_en=b.en, group="bundle", inputs=_inputs(b.inputs))
        for b in bundles().values()
    ]
    return part_of(rows, query)


@api.get("/assemblies/{assembly}", permission=Permission.PUBLIC, answer=AssemblyOut, summary="One piece of work")
def show_assembly(assembly: str) -> AssemblyOut:
    """Inputs with bounds; lines with formula, norm, waste and source."""
    if assembly in bundles():
        bundle = bundles()[assembly]
        return AssemblyOut(
            id=bundle.id, kind="bundle", name_ru=bundle.ru, name_en=bundle.en, group="bundle",
            inputs=_inputs(bundle.inputs), work_unit="", lines=[], uses=list(bundle.mapping),
        )  # fmt: skip
    if assembly not in assemblies():
        raise NotFound()
    return _assembly(assemblies()[assembly])


def _assembly(found: Assembly) -> AssemblyOut:
    return AssemblyOut(
        id=found.id, kind="assembly", name_ru=found.ru, name_en=found.en, group=found.group,
        inputs=_inputs(found.inputs), work_unit=found.work_unit, uses=[found.id],
        lines=[
            AssemblyLineOut(
                id=line.id, name_ru=line.ru, name_en=line.en, category=line.category, formula=line.formula,
                unit=line.unit, waste_pct=to_api(line.waste_pct), norm=line.consumption, spec=dict(line.spec),
                sources=_sources(line.sources),
            )
            for line in found.lines
        ],
    )  # fmt: skip


def estimate_out(view: queries.EstimateView) -> EstimateOut:
    """An estimate as the API shows it."""
    return EstimateOut(
        id=view.public_id, title=view.title, items=view.items, version=view.version, priced_at=view.priced_at,
        state=view.state,
        lines=[_line(line) for line in view.lines],
        totals=TotalsOut(
            goods=money(view.goods) if view.goods is not None else None,
            mass_kg=to_api(view.mass_kg) if view.mass_kg is not None else None,
            volume_m3=to_api(view.volume_m3) if view.volume_m3 is not None else None,
        ),
        job=JobState.of(view.job) if view.job else None,
    )  # fmt: skip


def _line(line: queries.LineView) -> EstimateLineOut:
    first = line.details[0]
    known = {s["id"]: s for part in line.details for s in part["sources"]}
    product = offer = pack = None
    if line.product_public_id is not None and line.product_slug is not None:
        product = ProductRef(id=line.product_public_id, slug=line.product_slug, name_ru=line.product("ru"),
                             name_en=line.product("en"))  # fmt: skip
    if line.offer_public_id is not None:
        offer = OfferRef(id=line.offer_public_id, seller=line.seller or "")
    if line.pack_content is not None:
        pack = PackOut(unit=line.pack_unit, content=to_api(line.pack_content), content_unit=line.unit)
    return EstimateLineOut(
        id=line.public_id, assembly_line=f"{first['assembly']}.{first['line']}", name_ru=line.name_ru,
        name_en=line.name_en, category=line.category, base=to_api(line.base), gross=to_api(line.gross), unit=line.unit,
        packs=line.packs, pack=pack, product=product, offer=offer,
        price=money(line.price) if line.price is not None else None,
        total=money(line.total) if line.total is not None else None,
        mass_kg=to_api(line.mass_kg) if line.mass_kg is not None else None,
        volume_m3=to_api(line.volume_m3) if line.volume_m3 is not None else None,
        formula=first["formula"], sources=[SourceOut(**s) for s in known.values()], parts=line.details,
        problem=line.problem, relaxed=line.relaxed,
    )  # fmt: skip


def _answer(public_id: uuid.UUID, status: int = 200) -> Answer:
    view = queries.estimate(access.actor(), "", public_id)
    headers = etag(view.version) | ({"Location": f"{PREFIX}/estimates/{public_id}"} if status == 201 else {})
    return Answer(estimate_out(view), status, headers)


@api.get("/estimates", permission=Permission.BUY, query=PageQuery, answer=Page[EstimateRowOut], summary="Own estimates")
def list_estimates(query: PageQuery) -> Page[EstimateRowOut]:
    """Newest first."""
    before = int(query.cursor) if query.cursor and query.cursor.isdecimal() else None
    rows = queries.estimates(access.actor(), "", before, query.limit + 1)
    shown = rows[: query.limit]
    return Page[EstimateRowOut](
        items=[
            EstimateRowOut(
                id=r.public_id, title=r.title, lines=r.lines, created_at=r.created_at,
                state=r.state,
                goods=money(r.goods) if r.goods is not None else None,
            )
            for r in shown
        ],
        next_cursor=str(shown[-1].id) if len(rows) > query.limit else None,
    )  # fmt: skip


@api.post(
    "/estimates", permission=Permission.BUY, body=EstimateIn, answer=EstimateOut, status=201,
    summary="Count the materials of some work",
    example={
        "title": "Partition",
        "items": [{"assembly": "partition_c111", "inputs": {"length": "5", "height": "2.7", "openings": "0"}}],
    },
)  # fmt: skip
def create(body: EstimateIn) -> Answer:
    """Materials come at once; products and prices when the job in the answer is done."""
    items = [item.item(number) for number, item in enumerate(body.items)]
    made = service.create(access.actor(), "", body.title, items)
    return _answer(made.public_id, 201)


@api.get("/estimates/{estimate}", permission=Permission.BUY, answer=EstimateOut, summary="One estimate")
def show(estimate: str) -> Answer:
    """With its lines; `job` shows the pricing while it runs."""
    return _answer(given_id(estimate))


@api.patch(
    "/estimates/{estimate}", permission=Permission.BUY, body=EstimatePatch, answer=EstimateOut,
    summary="Change title or dimensions",
)  # fmt: skip
def change(estimate: str, body: EstimatePatch) -> Answer:
    """New dimensions are counted and priced again. Honours If-Match."""
    items = None if body.items is None else [item.item(number) for number, item in enumerate(body.items)]
    service.change(access.actor(), "", given_id(estimate), title=body.title, items=items, version=expected_version())
    return _answer(given_id(estimate))


@api.patch(
    "/estimates/{estimate}/lines/{line}", permission=Permission.BUY, body=LinePatch, answer=EstimateOut,
    summary="Choose a product or a share of waste by hand",
)  # fmt: skip
def change_line(estimate: str, line: str, body: LinePatch) -> Answer:
    """Priced again."""
    service.choose(
        access.actor(), "", given_id(estimate), given_id(line), product=body.product, waste_pct=body.waste_pct
    )
    return _answer(given_id(estimate))


@api.post(
    "/estimates/{estimate}/reprice", permission=Permission.BUY, answer=EstimateOut,
    summary="Look at present prices and stock again",
)  # fmt: skip
def reprice(estimate: str) -> Answer:
    """The job is in the answer."""
    service.reprice(access.actor(), "", given_id(estimate))
    return _answer(given_id(estimate))


@api.post(
    "/estimates/{estimate}/to-cart",
    permission=Permission.BUY,
    answer=CartOut,
    summary="Everything found, into the cart",
)
def to_cart(estimate: str) -> CartOut:
    """Answers with the cart; notes say what was less in stock than needed."""
    actor = access.actor()
    changes, _token = service.to_cart(actor, "", "", given_id(estimate))
    return cart_out(orders.cart_plan(actor, ""), changes)


@api.delete("/estimates/{estimate}", permission=Permission.BUY, summary="Remove an estimate", status=204)
def remove(estimate: str) -> None:
    """It answers 404 from then on."""
    service.remove(access.actor(), "", given_id(estimate))
