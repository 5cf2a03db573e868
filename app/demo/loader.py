"""Loads the demo market with COPY, then lets the services do what they would do on a working day."""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import yaml
from flask import current_app

from app.accounts import passwords
from app.catalog import dictionary
from app.core import clock
from app.core.db import Base, session, unit_of_work
from app.core.errors import DomainError
from app.demo import papers
from app.demo.companies import BUYING_COMPANY, PASSWORD, SELLERS, DemoSeller, inn, kpp, ogrn
from app.demo.copying import Table
from app.demo.places import Place, places
from app.demo.products import LOOSE, DemoProduct, products_of
from app.demo.taxonomy import DATA, Leaf, Node, Wanted, tree, wanted
from app.offers import listing

ASSEMBLIES = Path(__file__).resolve().parent.parent / "estimates" / "data" / "assemblies.yaml"
CARRIERS = 2
LADDER_SHARE = 0.4
EMPTY_SHARE = 0.06
PALLET_UNITS = {"bag", "pcs", "sheet", "box", "pack", "bucket"}


@dataclass
class Tables:
    """Everything that is copied, in the order of foreign keys."""

    users: Table = field(
        default_factory=lambda: Table("user_account", "email email_key password_hash name phone is_admin", public=True)
    )
    organisations: Table = field(
        default_factory=lambda: Table("organisation", "kind name inn kpp ogrn address status bank", public=True)
    )
    papers: Table = field(
        default_factory=lambda: Table(
            "organisation_document",
            "organisation_id kind file_name stored_name content_kind size state user_id decided_by_id decided_at "
            "valid_until",
            public=True,
        )
    )
    signed: Table = field(default_factory=lambda: Table("agreement_acceptance", "organisation_id version user_id"))
    members: Table = field(default_factory=lambda: Table("organisation_member", "organisation_id user_id role"))
    sites: Table = field(
        default_factory=lambda: Table(
            "site", "user_id title address lat lon access unloading contact_name contact_phone", public=True
        )
    )
    sellers: Table = field(
        default_factory=lambda: Table("seller", "id slug name is_active vat_code accept_hours", numbered=False)
    )
    warehouses: Table = field(default_factory=lambda: Table("warehouse", "seller_id name address lat lon", public=True))
    categories: Table = field(
        default_factory=lambda: Table(
            "category", "parent_id slug name_ru name_en position depth path drawing synonyms", public=True
        )
    )
    attributes: Table = field(
        default_factory=lambda: Table("attribute", "category_id key name_ru name_en kind unit position is_facet")
    )
    synonyms: Table = field(default_factory=lambda: Table("synonym", "term expansion"))
    products: Table = field(
        default_factory=lambda: Table(
            "product",
            "slug category_id brand name_ru name_en article base_unit mass_kg volume_m3 length_mm",
            public=True,
        )
    )
    values: Table = field(
        default_factory=lambda: Table("product_value", "product_id attribute_id text number", numbered=False)
    )
    units: Table = field(
        default_factory=lambda: Table(
            "product_unit",
            "product_id code numerator denominator step minimum is_sold is_content barcode position",
            numbered=False,
        )
    )
    offers: Table = field(
        default_factory=lambda: Table(
            "offer", "seller_id product_id sku unit price vat_code lead_time_days", public=True
        )
    )
    steps: Table = field(default_factory=lambda: Table("offer_step", "offer_id from_quantity price", numbered=False))
    prices: Table = field(default_factory=lambda: Table("price_change", "offer_id old_price new_price created_at"))
    levels: Table = field(default_factory=lambda: Table("stock_level", "offer_id warehouse_id on_hand", numbered=False))
    movements: Table = field(
        default_factory=lambda: Table("stock_movement", "offer_id warehouse_id kind on_hand_delta reason created_at")
    )
    carriers: Table = field(
        default_factory=lambda: Table(
            "carrier", "id name phone depot_address depot_lat depot_lon is_active", numbered=False
        )
    )
    served: Table = field(default_factory=lambda: Table("carrier_warehouse", "carrier_id warehouse_id", numbered=False))
    depots: Table = field(
        default_factory=lambda: Table("depot", "carrier_id name address lat lon is_main", public=True)
    )
    vehicles: Table = field(
        default_factory=lambda: Table(
            "vehicle",
            "carrier_id name plate payload_kg volume_l longest_mm gross_mass_kg has_crane has_tail_lift "
            "fixed_cost cost_per_km cost_per_hour body axle_load_kg fuel_ml_per_km fuel_price depot_id",
            public=True,
        )
    )
    couriers: Table = field(
        default_factory=lambda: Table(
            "courier",
            "carrier_id user_id name phone vehicle_id shift_from shift_to licence licences skills break_from break_to",
            public=True,
        )
    )
    tariffs: Table = field(
        default_factory=lambda: Table(
            "tariff",
            "carrier_id name base included_km per_km per_tonne per_m3 long_piece per_floor_tonne hands_tonne "
            "crane tail_lift minimum extra_pickup max_mass_kg max_km valid_from",
            public=True,
        )
    )

    def load(self) -> None:
        """COPY everything."""
        for table in vars(self).values():
            table.load()


@dataclass(frozen=True, slots=True)
class Goods:
    """A product with its id and the top category it stands under."""

    id: int
    top: str
    demo: DemoProduct
    factor_sold: Fraction


@unit_of_work
def load_market() -> None:
    """Fill an empty database.

    Raises:
        DomainError: `demo_needs_empty` when there is a catalogue already.
    """
    if session.scalar(sa.text("SELECT count(*) FROM category")):
        raise DomainError("demo_needs_empty")
    session.execute(sa.text("SET LOCAL statement_timeout = 0"))
    tables = Tables()
    spots = places()
    people(tables, spots)
    goods = catalogue(tables)
    synonyms(tables)
    warehouses = sellers(tables, spots)
    offers(tables, goods, warehouses)
    carriers(tables, spots, len(tables.warehouses))
    buying_company(tables, spots)
    tables.load()
    # only the own tables: the system's are shared with databases that may be analysed now too
    session.execute(sa.text(f"ANALYZE {', '.join(sorted(Base.metadata.tables))}"))
    dictionary.rebuild()
    listing.rebuild()


def is_empty() -> bool:
    """Whether there is no catalogue yet."""
    return not session.scalar(sa.text("SELECT count(*) FROM category"))


def people(tables: Tables, spots: list[Place]) -> None:
    """The five demo accounts first, then owners of the other companies and the other drivers."""
    secret = passwords.hashed(PASSWORD)
    named = [
        ("buyer", "Покупатель Демо"), ("seller", "Продавец Демо"), ("carrier", "Диспетчер Демо"),
        ("courier", "Водитель Демо 1"), ("admin", "Оператор Демо"),
    ]  # fmt: skip
    named += [(f"seller{n}", f"Продавец Демо {n}") for n in range(2, len(SELLERS) + 1)]
    named += [("carrier2", "Диспетчер Демо 2")]
    named += [(f"courier{n}", f"Водитель Демо {n}") for n in range(2, 9)]
    named += [(f"buyer{n}", f"Покупатель Демо {n}") for n in range(2, 8)]
    for number, (login, name) in enumerate(named):
        email = f"{login}@demo.example"
        person = tables.users.add(email, email, secret, name, f"+7900000{number:04d}", login == "admin")
        if login.startswith("buyer"):
            spot = spots[70 + number]
            tables.sites.add(person, "Стройка", spot.address, spot.lat, spot.lon, "", "self", name,
                             f"+7900000{number:04d}")  # fmt: skip
    for number, title in enumerate(("Квартира на ремонте", "Дом, первый этаж")):
        spot = spots[40 + number]
        tables.sites.add(1, title, spot.address, spot.lat, spot.lon, "Въезд со двора", "self", "Покупатель Демо",
                         "+79000000000")  # fmt: skip


def user_id(tables: Tables, number: int) -> int:
    """Ids are given in the order of `people`."""
    return number + 1


def sellers(tables: Tables, spots: list[Place]) -> dict[int, list[int]]:
    """Organisations, sellers and their warehouses. Returns warehouse ids by position of the seller."""
    found: dict[int, list[int]] = {}
    brought: list[papers.Paper] = []
    spot = iter(spots)
    for number, seller in enumerate(SELLERS):
        place = next(spot)
        organisation = tables.organisations.add(
            "seller",
            seller.name,
            inn(number + 1),
            kpp(number + 1),
            ogrn(number + 1),
            place.address,
            "approved",
            papers.bank(number + 1),
        )
        owner = 2 if number == 0 else 5 + number
        tables.members.add(organisation, owner, "owner")
        brought += papers.bring(
            tables.papers, tables.signed, organisation, owner, inn(number + 1), "seller", accepted=True
        )
        tables.sellers.add(organisation, seller.slug, seller.name, True, seller.vat_code, 24)
        found[number] = []
        for part in range(seller.warehouses):
            where = place if part == 0 else next(spot)
            name = f"Склад {part + 1}"
            found[number].append(tables.warehouses.add(organisation, name, where.address, where.lat, where.lon))
    waiting = next(spot)
    number = len(SELLERS) + 3
    organisation = tables.organisations.add(
        "seller",
        "Демо-Новый продавец",
        inn(number),
        kpp(number),
        ogrn(number),
        waiting.address,
        "submitted",
        papers.bank(number),
    )
    tables.members.add(organisation, 1, "owner")
    brought += papers.bring(tables.papers, tables.signed, organisation, 1, inn(number), "seller", accepted=False)
    papers.store(current_app.extensions["storage"], brought)
    return found


def needs() -> dict[str, set[Wanted]]:
    """What the assemblies want of each leaf."""
    with ASSEMBLIES.open(encoding="utf-8") as file:
        raw = yaml.load(file, Loader=yaml.CSafeLoader)
    found: dict[str, set[Wanted]] = {}
    for assembly in raw["assemblies"]:
        options = {i["key"]: tuple(str(o) for o in i["options"]) for i in assembly["inputs"] if i.get("options")}
        for line in assembly["lines"]:
            found.setdefault(line["category"], set()).update(wanted([line], options))
    return found


def catalogue(tables: Tables) -> list[Goods]:
    """Categories, attributes, products and units."""
    wants = needs()
    goods: list[Goods] = []
    for position, top in enumerate(tree()):
        top_id = _category(tables, None, top, position, ())
        for middle_position, middle in enumerate(top.children):
            assert isinstance(middle, Node)
            middle_id = _category(tables, top_id, middle, middle_position, (top_id,))
            for leaf_position, leaf in enumerate(middle.children):
                assert isinstance(leaf, Leaf)
                leaf_id = _category(tables, middle_id, leaf, leaf_position, (top_id, middle_id))
                keys = {
                    a.key: tables.attributes.add(leaf_id, a.key, a.ru, a.en, a.kind, a.unit, i, a.kind != "range")
                    for i, a in enumerate(leaf.attributes)
                    if a.key != "brand"
                }
                for product in products_of(leaf, wants.get(leaf.id, set())):
                    goods.append(_product(tables, top.id, leaf_id, keys, product))
    return goods


def synonyms(tables: Tables) -> None:
    """Groups of words that mean the same in a search."""
    with (DATA / "synonyms.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for term in row["terms"].split("|"):
                tables.synonyms.add(term, row["head"])


def _category(tables: Tables, parent: int | None, node: Node | Leaf, position: int, above: tuple[int, ...]) -> int:
    own = len(tables.categories) + 1
    drawing = node.drawing if isinstance(node, Leaf) else _first_leaf(node).drawing
    synonyms = list(node.synonyms) if isinstance(node, Leaf) else []
    return tables.categories.add(
        parent, node.id, node.ru, node.en, position, len(above) + 1, (*above, own), drawing, synonyms
    )


def _first_leaf(node: Node | Leaf) -> Leaf:
    return node if isinstance(node, Leaf) else _first_leaf(node.children[0])


def _product(tables: Tables, top: str, leaf_id: int, keys: dict[str, int], product: DemoProduct) -> Goods:
    number = len(tables.products) + 1
    slug = f"{product.leaf.id.replace('_', '-')}-{number}"
    sale = product.sale
    article = f"{product.leaf.id[:2].upper()}{number:06d}"
    product_id = tables.products.add(
        slug, leaf_id, product.brand, product.name_ru, product.name_en, article, sale.unit, sale.weight_kg,
        sale.volume_m3, product.length_mm,
    )  # fmt: skip
    for key, text in product.values:
        if key in keys:
            tables.values.add(product_id, keys[key], text, _number(text))
    _units(tables, product_id, number, product)
    return Goods(product_id, top, product, Fraction(1))


def _number(text: str) -> str | None:
    try:
        return str(float(text))
    except ValueError:
        return None


def _units(tables: Tables, product_id: int, number: int, product: DemoProduct) -> None:
    sale = product.sale
    code, content = sale.content_unit, sale.content
    if code == "ml":
        code, content = "l", content / 1000
    own_content = code == sale.unit
    tables.units.add(product_id, sale.unit, 1, 1, 1, 1, True, own_content, ean13(number), 0)
    if not own_content:
        factor = 1 / content
        tables.units.add(product_id, code, factor.numerator, factor.denominator, 1, 1, False, True, "", 1)
    for position, (unit, held) in enumerate(product.also, start=3):
        if unit not in (sale.unit, code):
            factor = 1 / held
            tables.units.add(product_id, unit, factor.numerator, factor.denominator, 1, 1, False, False, "", position)
    if sale.unit in PALLET_UNITS and sale.weight_kg >= 3:
        on_pallet = max(10, min(480, int(1000 / sale.weight_kg)))
        tables.units.add(product_id, "pallet", on_pallet, 1, 1, 1, False, False, "", 2)


def ean13(number: int) -> str:
    """A barcode of the range kept for shops' own numbers (200), with its check digit (GS1 General Specifications)."""
    digits = f"200{number:09d}"
    total = sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(digits))
    return digits + str(-total % 10)


def offers(tables: Tables, goods: list[Goods], warehouses: dict[int, list[int]]) -> None:
    """Who sells what, at what price, with how much in which warehouse."""
    rng = random.Random("tutuu:offers")
    started = clock.now() - timedelta(days=120)
    for product in goods:
        able = [n for n, s in enumerate(SELLERS) if not s.tops or product.top in s.tops]
        others = [n for n in able if n]
        rng.shuffle(others)
        chosen = [0] if product.demo.needed or rng.random() < 0.75 else []
        chosen += others[: 2 if product.demo.needed else rng.choice((1, 2, 3))]
        base = _base_price(product.demo, rng)
        for place in chosen:
            _offer(tables, product, place, SELLERS[place], base, warehouses[place], rng, started)


def _base_price(product: DemoProduct, rng: random.Random) -> int:
    low, high = product.sale.price_low, product.sale.price_high
    skew: float = rng.random() ** 1.6
    return low + round((high - low) * skew)


def _offer(
    tables: Tables, product: Goods, number: int, seller: DemoSeller, base: int, places_of: list[int],
    rng: random.Random, started: Any,
) -> None:  # fmt: skip
    price = _rounded(base * seller.level * rng.uniform(0.96, 1.06) / 100)
    offer = tables.offers.add(
        number + 1, product.id, f"{seller.prefix}-{product.id:05d}", product.demo.sale.unit, price, seller.vat_code,
        0 if product.demo.needed and rng.random() < 0.85 else rng.choice((0, 0, 0, 1, 1, 2, 3)),
    )  # fmt: skip
    tables.prices.add(offer, None, price, started.isoformat())
    if rng.random() < LADDER_SHARE:
        bulk = 10 if price > 50_000 else 50
        before = price
        for start, share in ((bulk, 0.96), (bulk * 5, 0.92)):
            lower = _rounded(price * share)
            if lower < before:  # a cheap thing may round to the same price
                tables.steps.add(offer, start, lower)
                before = lower
    if rng.random() < EMPTY_SHARE and not product.demo.needed:
        return
    for warehouse in places_of[: 1 + (rng.random() < 0.5)]:
        on_hand = _stock(product.demo, price, rng)
        tables.levels.add(offer, warehouse, on_hand)
        tables.movements.add(offer, warehouse, "received", on_hand, "opening stock", started.isoformat())


def _rounded(kopeks: float) -> int:
    step = 100 if kopeks >= 5000 else 10
    return max(step, round(kopeks / step) * step)


def _stock(product: DemoProduct, price: int, rng: random.Random) -> int:
    """Worth of 100,000 to 600,000 roubles, at least what one job needs."""
    worth = rng.uniform(10_000_000, 60_000_000)
    least = 400 if product.needed else 5
    most = 200_000 if product.sale.unit in LOOSE else 20_000
    return int(min(max(worth / price, least), most))


TRUCKS = (
    ("Газель", 1500, 9000, 3200, 3500, False, False, 150_000, 2200, 70_000, "van", 2200, 125),
    ("Газель с бортом 4 м", 1500, 16_000, 4200, 3500, False, True, 180_000, 2400, 75_000, "tilt", 2300, 130),
    ("Валдай", 3500, 22_000, 5200, 7500, False, True, 250_000, 3000, 90_000, "tilt", 5000, 180),
    ("Борт 5 т, 6 м", 5000, 30_000, 6200, 9500, False, False, 350_000, 3600, 110_000, "flatbed", 6300, 240),
    ("Манипулятор 10 т", 10_000, 36_000, 7200, 18_000, True, False, 550_000, 5200, 160_000, "manipulator", 8000, 330),
    ("Шаланда 20 т", 20_000, 80_000, 13_600, 38_000, False, False, 900_000, 6500, 190_000, "long", 9000, 380),
)
"""Name, payload kg, litres, longest mm, gross kg, crane, tail lift; kopeks a day, a km, an hour; body, kg on the
heaviest axle, millilitres of diesel a km."""
DIESEL = 7200
"""Kopeks a litre."""


def carriers(tables: Tables, spots: list[Place], warehouses: int) -> None:
    """Two carriers. The first serves every warehouse; each has trucks, drivers and a tariff."""
    today = clock.today()
    first_driver = 5 + len(SELLERS) - 1 + 1 + 1
    for number in range(CARRIERS):
        depot = spots[60 + number * 7]
        organisation = tables.organisations.add(
            "carrier", f"Демо-Перевозчик {number + 1}", inn(101 + number), kpp(101 + number), ogrn(101 + number),
            depot.address, "approved", papers.bank(101 + number),
        )  # fmt: skip
        dispatcher = 3 if number == 0 else 5 + len(SELLERS) - 1 + 1
        tables.members.add(organisation, dispatcher, "dispatcher")
        tables.carriers.add(organisation, f"Демо-Перевозчик {number + 1}", "+79000000300", depot.address, depot.lat,
                            depot.lon, True)  # fmt: skip
        north = spots[63 + number * 7]
        yards = [
            tables.depots.add(organisation, "Основная площадка", depot.address, depot.lat, depot.lon, True),
            tables.depots.add(organisation, "Вторая площадка", north.address, north.lat, north.lon, False),
        ]
        for warehouse in range(1, warehouses + 1):
            if number == 0 or warehouse % 2:
                tables.served.add(organisation, warehouse)
        drivers = [4, *range(first_driver, first_driver + 5)] if number == 0 else [first_driver + 5, first_driver + 6]
        for i, driver in enumerate(drivers):
            truck = TRUCKS[i if number == 0 else i * 2]
            vehicle = tables.vehicles.add(
                organisation, f"{truck[0]} {number + 1}{i + 1}", f"Д{100 + i}МО{97 + number}", *truck[1:], DIESEL,
                yards[i // 4],
            )  # fmt: skip
            tables.members.add(organisation, driver, "courier")
            name = "Водитель Демо 1" if driver == 4 else f"Водитель Демо {driver - first_driver + 2}"
            held = {"B": None, "C": (today + timedelta(days=400 + 90 * i)).isoformat()}
            skills = ["crane_operator", "slinger"] if truck[5] else ["tail_lift"] if truck[6] else []
            tables.couriers.add(organisation, driver, name, f"+7900000{driver:04d}", vehicle, 7 * 60, 20 * 60, "B, C",
                                held, skills, 11 * 60, 14 * 60)  # fmt: skip
        level = 100 if number == 0 else 108
        tables.tariffs.add(
            organisation, "Город", 1500 * level, 5, 45 * level, 350 * level, 60 * level, 1200 * level, 300 * level,
            900 * level, 4500 * level, 1500 * level, 1900 * level, 400 * level, 20_000, 60, today - timedelta(days=90),
        )  # fmt: skip


def buying_company(tables: Tables, spots: list[Place]) -> None:
    """A company that buys, owned by the demo buyer."""
    number = 201
    organisation = tables.organisations.add(
        "buyer", BUYING_COMPANY, inn(number), kpp(number), ogrn(number), spots[55].address, "approved",
        papers.bank(number),
    )  # fmt: skip
    tables.members.add(organisation, 1, "owner")
