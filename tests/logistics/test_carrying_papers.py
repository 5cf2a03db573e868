"""Papers of carrying: what stands on them, and who may open them."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import jsonschema
import pytest
import sqlalchemy as sa
from flask import current_app
from flask.testing import FlaskClient
from PIL import Image

from app.core import clock
from app.core.db import session
from app.core.ids import uuid7
from app.logistics import courier_day, courier_views
from app.logistics.courier_day import HandOver, Tap
from app.logistics.courier_models import ProofPhoto
from app.logistics.models import Route
from tests.client import ApiClient
from tests.core.pdf_text import pages_of
from tests.factories import logistics as make

pytestmark = pytest.mark.usefixtures("db_session")


def words(answer: Any) -> str:
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "application/pdf"
    return re.sub(r"\s+", " ", " ".join(pages_of(answer.data)))


def picture(user_id: int, colour: str) -> ProofPhoto:
    file = io.BytesIO()
    Image.new("RGB", (1600, 1200), colour).save(file, "WEBP")
    stored = f"evidence/{uuid7().hex}.webp"
    current_app.extensions["storage"].put(stored, file.getvalue(), "image/webp")
    row = ProofPhoto(
        user_id=user_id,
        key=uuid7(),
        role="photo",
        file_name="a.jpg",
        kind="jpeg",
        original="originals/a.dat",
        stored=stored,
        state="ready",
        taken_at=clock.now(),
    )
    session.add(row)
    session.flush()
    return row


def driven(w: make.World, *, proof: dict[str, Any] | None = None, count: int = 2) -> list[Any]:
    """The world's truck has been at the doors of all deliveries but the last, which failed when there are several."""
    day = clock.today()
    made = [make.delivery(w, day, n) for n in range(count)]
    make.published(w, made, day)
    route = courier_views.route(w.courier_user.id)
    assert route is not None
    courier_day.start_route(w.courier, route.public_id)
    for stop in route.stops:
        if stop.kind == "pickup":
            courier_day.complete(w.courier, stop.public_id)
            continue
        mine = next(one for one in made if one.public_id == stop.delivery)
        if count > 1 and mine is made[-1]:
            courier_day.fail(w.courier, stop.public_id, "nobody_there", "Ворота закрыты")
        else:
            given = HandOver(pin=mine.pin, proof=proof or {})
            courier_day.complete(w.courier, stop.public_id, given, Tap(lat=55.819, lon=37.6112))
    return made


def route_of(w: make.World) -> str:
    return str(session.scalars(sa.select(Route.public_id).where(Route.courier_id == w.courier_id)).one())


def test_a_waybill_holds_every_section_of_the_form(client: FlaskClient) -> None:
    w = make.world()
    made = driven(w)
    make.browse(client, w.buyer)
    text = words(client.get(f"/deliveries/{made[0].public_id}/waybill.pdf"))
    for section in (
        "1. Грузоотправитель", "2. Грузополучатель", "3. Груз", "4. Сопроводительные документы", "5. Указания",
        "6. Перевозчик", "7. Транспортное средство", "8. Приём груза", "9. Переадресовка", "10. Выдача груза",
        "11. Отметки", "12. Стоимость перевозки",
    ):  # fmt: skip
        assert section in text
    for fact in (
        w.seller.name, w.seller.inn, w.carrier.name, w.carrier.inn, w.vehicle.plate, w.courier_user.name, "Стройка, 1",
        "Склад, 1", "Прораб", "1200 кг", "Блок", "96", "2 500,00", "Груз выдан полностью",
    ):  # fmt: skip
        assert fact in text.replace("\u00a0", " "), fact
    failed = words(client.get(f"/deliveries/{made[1].public_id}/waybill.pdf"))
    assert "Груз не выдан: Никого нет" in failed


def test_a_route_gives_its_sheet_and_the_waybills_of_all_its_doors(client: FlaskClient) -> None:
    w = make.world()
    made = driven(w)
    key = route_of(w)
    make.browse(client, w.dispatcher_user)
    sheet = words(client.get(f"/carrier/routes/{key}/route-sheet.pdf"))
    for fact in (
        w.vehicle.plate,
        w.courier_user.name,
        "Погрузить",
        "Сдать",
        "Стройка, 2",
        "не сдано",
        "Одометр",
        "9 км",
    ):
        assert fact in sheet, fact
    bills = client.get(f"/carrier/routes/{key}/waybills.pdf")
    assert words(bills).count("Транспортная накладная №") >= len(made)
    make.browse(client, w.courier_user)
    assert words(client.get(f"/courier/routes/{key}/route-sheet.pdf")) == sheet
    assert client.get(f"/courier/routes/{key}/waybills.pdf").status_code == 200
    stranger = make.world()
    session.commit()
    make.browse(client, stranger.courier_user)
    assert client.get(f"/courier/routes/{key}/route-sheet.pdf").status_code == 404
    make.browse(client, stranger.dispatcher_user)
    assert client.get(f"/carrier/routes/{key}/waybills.pdf").status_code == 404


def test_a_proof_shows_what_was_handed_over_when_where_to_whom_and_the_pictures(client: FlaskClient) -> None:
    w = make.world()
    photos = [picture(w.courier_user.id, colour) for colour in ("red", "blue", "green")]
    signature = picture(w.courier_user.id, "black")
    foreign = picture(w.buyer.id, "white")
    session.commit()
    proof = {
        "photos": [*(str(one.public_id) for one in photos), str(foreign.public_id), "nonsense"],
        "signature": str(signature.public_id), "received_by": "Иванов И. И.",
    }  # fmt: skip
    [made] = driven(w, proof=proof, count=1)
    for person in (w.buyer, w.dispatcher_user):
        make.browse(client, person)
        answer = client.get(f"/deliveries/{made.public_id}/proof.pdf")
        text = words(answer)
        for fact in (
            "Передано полностью",
            "Принял: Иванов И. И.",
            "55.81900, 37.61120",
            "назван верно",
            "Фотографии: 3",
            "96",
        ):
            assert fact in text, fact
        assert answer.data.count(b"/Subtype /Image") == 4
    assert len(answer.data) < 600_000
    assert client.get(f"/deliveries/{made.public_id}/proof.pdf").data == answer.data


def test_a_proof_of_a_failed_trip_says_why_and_there_is_none_before(client: FlaskClient) -> None:
    w = make.world()
    made = driven(w)
    make.browse(client, w.buyer)
    text = words(client.get(f"/deliveries/{made[1].public_id}/proof.pdf"))
    assert "Не передано" in text
    assert "Никого нет" in text
    assert "Ворота закрыты" in text
    early = make.delivery(w)
    assert client.get(f"/deliveries/{early.public_id}/proof.pdf").status_code == 409
    assert client.get(f"/deliveries/{early.public_id}/waybill.pdf").status_code == 200
    make.browse(client, make.world().buyer)
    for paper in ("proof", "waybill"):
        assert client.get(f"/deliveries/{made[0].public_id}/{paper}.pdf").status_code == 404


def test_the_export_of_a_trip_is_what_its_schema_says(api: ApiClient) -> None:
    w = make.world()
    made = driven(w, proof={"received_by": "Иванов И. И."}, count=3)
    me = make.call_as(api, w.dispatcher_user)
    answer = me.get(f"/carrier/routes/{route_of(w)}/trip-export").json
    document = api.get("/openapi.json").json
    schema = {"$ref": "#/components/schemas/TripExportOut", "components": document["components"]}
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    assert list(validator.iter_errors(answer)) == []
    broken = json.loads(json.dumps(answer))
    broken["waybills"][0]["loading"]["gross_mass_kg"] = "тонна"
    assert list(validator.iter_errors(broken))
    bills = {bill["delivery"]: bill for bill in answer["waybills"]}
    assert set(bills) == {str(one.public_id) for one in made}
    first, last = bills[str(made[0].public_id)], bills[str(made[2].public_id)]
    assert first["loading"]["shipper"]["inn"] == w.seller.inn
    assert first["taken"]["vehicle"]["plate"] == w.vehicle.plate
    assert first["taken"]["driver"]["name"].startswith("Driver")
    assert first["handed"]["received_by"] == "Иванов И. И."
    assert [line["handed_over"] for line in first["loading"]["cargo"]] == ["96", "8"]
    assert (last["handed"]["outcome"], last["handed"]["reason"]) == ("failed", "nobody_there")
    assert [line["handed_over"] for line in last["loading"]["cargo"]] == ["0", "0"]
    assert (
        make.call_as(api, make.world().dispatcher_user).get(f"/carrier/routes/{route_of(w)}/trip-export").status_code
        == 404
    )
    for paper in ("route-sheet.pdf", "waybills.pdf"):
        assert me.get(f"/carrier/routes/{route_of(w)}/{paper}").mimetype == "application/pdf"
    for paper in ("waybill.pdf", "proof.pdf"):
        assert me.get(f"/deliveries/{made[0].public_id}/{paper}").mimetype == "application/pdf"
