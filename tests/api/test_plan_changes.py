"""A draft changed by hand over the API: If-Match, steps, versions, comparison, trucks that break down."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from app.core import clock
from app.core.db import session
from tests.factories import logistics as make


class Draft:
    """A draft with three deliveries on one of two trucks, and its dispatcher."""

    def __init__(self, api: Any) -> None:
        self.w = make.world()
        self.second = make.vehicle(self.w.carrier.id)
        make.driver(self.w.carrier, self.second)
        self.made = [make.delivery(self.w, index=index) for index in range(3)]
        session.commit()
        self.url = f"/carrier/route-plans/{make.stored_plan(self.w, self.made)}"
        self.me = make.call_as(api, self.w.dispatcher_user)

    def show(self) -> Any:
        return self.me.get(self.url)

    def stop(self, index: int, kind: str = "drop") -> str:
        wanted = str(self.made[index].public_id)
        stops = [stop for route in self.show().json["routes"] for stop in route["stops"]]
        return str(next(s["id"] for s in stops if s["delivery"] == wanted and s["kind"] == kind))

    def do(self, *operations: dict[str, Any], version: str = "") -> Any:
        headers = {"If-Match": version} if version else {}
        return self.me.call("PATCH", f"{self.url}/stops", {"operations": list(operations)}, headers=headers)


@pytest.fixture
def draft(api: Any) -> Draft:
    return Draft(api)


def test_operations_are_made_undone_and_redone(draft: Draft) -> None:
    before = draft.show()
    assert before.headers["ETag"] == '"0"'
    changed = draft.do(
        {"op": "move", "stop": draft.stop(0), "vehicle": str(draft.second.public_id)},
        {"op": "lock", "stop": draft.stop(1)},
        version='"0"',
    )
    assert changed.status_code == 200, changed.json
    assert changed.headers["ETag"] == '"2"'
    routes = {route["vehicle"]: route for route in changed.json["routes"]}
    assert [s["kind"] for s in routes[str(draft.second.public_id)]["stops"]] == ["pickup", "drop"]
    assert [s["locked"] for s in routes[str(draft.w.vehicle.public_id)]["stops"]].count(True) == 2
    assert draft.me.post(f"{draft.url}/undo").json["edit"] == 3
    assert draft.me.post(f"{draft.url}/undo").json["edit"] == 4
    assert len(draft.show().json["routes"]) == 1
    assert draft.me.post(f"{draft.url}/undo").json["code"] == "nothing_to_undo"
    assert len(draft.me.post(f"{draft.url}/redo").json["routes"]) == 2
    steps = draft.me.get(f"{draft.url}/steps").json["steps"]
    assert [(s["number"], s["kind"], s["undone"]) for s in steps] == [(1, "move", False), (2, "lock", True)]
    assert steps[0]["who"] == draft.w.dispatcher_user.name


def test_a_change_over_somebody_elses_is_refused_with_what_was_done(draft: Draft) -> None:
    assert draft.do({"op": "unassign", "stop": draft.stop(0)}, version='"0"').status_code == 200
    refused = draft.do({"op": "unassign", "stop": draft.stop(1)}, version='"0"')
    assert refused.status_code == 412
    assert (refused.json["code"], refused.json["version"]) == ("stale_version", 1)
    assert refused.json["changes"][0]["kind"] == "unassign"
    assert draft.do({"op": "unassign", "stop": draft.stop(1)}, version='"1"').status_code == 200


def test_a_plan_that_breaks_rules_says_so_and_is_not_published(draft: Draft) -> None:
    heavy = make.delivery(draft.w, index=3, mass_kg=5500)
    shown = draft.do({"op": "assign", "delivery": str(heavy.public_id), "vehicle": str(draft.w.vehicle.public_id),
                      "last": True})  # fmt: skip
    violations = {one["code"]: one for one in shown.json["violations"]}
    assert violations["overload_mass"]["vehicle"] == str(draft.w.vehicle.public_id)
    assert "kg too much" in violations["overload_mass"]["detail"] or "перегруз" in violations["overload_mass"]["detail"]
    refused = draft.me.post(f"{draft.url}/publish")
    assert (refused.status_code, refused.json["code"]) == (409, "plan_has_violations")
    assert refused.json["violations"][0]["truck"] == draft.w.vehicle.name
    assert "delivery_id" not in refused.get_data(as_text=True), "our numbers are nobody's business"
    draft.me.post(f"{draft.url}/undo")
    assert draft.me.post(f"{draft.url}/publish").json["status"] == "published"
    refused = draft.do({"op": "lock", "stop": draft.stop(0)})
    assert (refused.status_code, refused.json["code"]) == (409, "plan_not_draft")


def test_a_version_is_kept_and_compared(draft: Draft) -> None:
    kept = draft.me.post(f"{draft.url}/copy")
    assert kept.status_code == 201
    draft.do({"op": "unassign", "stop": draft.stop(2)})
    found = draft.me.get(f"{draft.url}/compare?with={kept.json['id']}").json
    figures = {one["name"]: (one["a"], one["b"]) for one in found["figures"]}
    assert figures["deliveries"] == (2, 3)
    assert figures["left"] == (1, 0)
    assert figures["distance"][0] < figures["distance"][1]
    [moved] = found["moved"]
    assert (moved["delivery"], moved["a"], moved["b"]["number"]) == (str(draft.made[2].public_id), None, 3)
    assert found["same"] == 2
    before = draft.me.get(f"/carrier/route-plans/{kept.json['id']}/compare").json
    assert before["b"] == found["a"]
    assert draft.me.get(f"{draft.url}/compare").status_code == 404


def test_wrong_operations_are_named(draft: Draft) -> None:
    assert draft.do({"op": "explode"}).status_code == 422
    assert draft.do().status_code == 422
    assert draft.do({"op": "move"}).json["errors"][0]["code"] == "required"
    assert draft.do({"op": "move", "stop": str(uuid.uuid4()), "last": True}).status_code == 404
    early = {"op": "move", "stop": draft.stop(0), "before": draft.stop(0, "pickup")}
    assert draft.do(early).json["code"] == "loading_first"


def test_a_truck_breaks_down_and_drives_again(draft: Draft) -> None:
    url = f"/carrier/vehicles/{draft.second.public_id}"
    assert draft.me.post(f"{url}/broken", {"note": "gearbox"}).status_code == 204
    assert draft.me.post(f"{url}/broken", {}).json["code"] == "already_broken"
    assert draft.me.post(f"{url}/mended", {}).status_code == 204
    shifts = draft.me.get(f"/carrier/shifts?date={clock.today().isoformat()}").json["items"]
    assert all(one["ended_at"] is None for one in shifts)


def test_another_carrier_a_buyer_and_a_driver_are_kept_out(draft: Draft, api: Any) -> None:
    stop = draft.stop(0)
    other = make.call_as(api, make.world().dispatcher_user)
    body = {"operations": [{"op": "lock", "stop": stop}]}
    calls = (
        ("PATCH", "/stops", body), ("POST", "/undo", {}), ("POST", "/redo", {}), ("POST", "/copy", {}),
        ("GET", "/steps", None), ("GET", f"/compare?with={uuid.uuid4()}", None),
    )  # fmt: skip
    for method, path, given in calls:
        assert other.call(method, draft.url + path, given).status_code == 404, path
    for person in (draft.w.buyer, draft.w.courier_user):
        stranger = make.call_as(api, person)
        for method, path, given in calls:
            assert stranger.call(method, draft.url + path, given).status_code == 403, path
