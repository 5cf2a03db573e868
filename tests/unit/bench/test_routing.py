"""The routing benchmark judges routes by itself and survives any folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import _vrplib as vrplib
from bench import routing
from bench._vrplib import Tour

HEAD = "NAME: T\nTYPE: {kind}\nDIMENSION: 4\nVEHICLES: 2\nCAPACITY: 10\nEDGE_WEIGHT_TYPE: EUC_2D\n{more}"
NODES = "NODE_COORD_SECTION\n1 0 0\n2 3 4\n3 6 8\n4 0 5\n"
DEMAND = "DEMAND_SECTION\n1 0\n2 5\n3 5\n4 5\n"
END = "DEPOT_SECTION\n1\n-1\nEOF\n"
WINDOWS = "TIME_WINDOW_SECTION\n1 0 40\n2 0 40\n3 12 13\n4 0 40\nSERVICE_TIME_SECTION\n1 0\n2 1\n3 1\n4 1\n"
PAIRS = "PICKUP_AND_DELIVERY_SECTION\n1 0 0 100 0 0 0\n2 8 0 100 0 0 3\n3 -8 0 100 0 2 0\n4 0 0 100 0 0 0\n"


def text(kind: str, body: str, more: str = "") -> str:
    return HEAD.format(kind=kind, more=more) + NODES + body + END


def instance(tmp_path: Path, kind: str, body: str, more: str = "") -> vrplib.Instance:
    path = tmp_path / "t.vrp"
    path.write_text(text(kind, body, more))
    return vrplib.read(path, "round")


def test_routes_are_costed_and_judged_from_the_text(tmp_path: Path) -> None:
    task = instance(tmp_path, "CVRP", DEMAND)
    good = [Tour(0, (1, 2)), Tour(1, (3,))]
    assert vrplib.faults(task, good) == []
    assert vrplib.cost_of(task, good) == 5 + 5 + 10 + 5 + 5
    assert "carries 15" in vrplib.faults(task, [Tour(0, (1, 2, 3))])[0]
    assert "visited 0 times" in vrplib.faults(task, [Tour(0, (1, 2))])[0]
    assert "drives 2 tours" in vrplib.faults(task, [Tour(0, (1, 2)), Tour(0, (3,))])[0]
    assert "returns to a depot" in vrplib.faults(task, [Tour(0, (1, 2, 0, 3))])[0]


def test_windows_service_and_duty_are_driven_again(tmp_path: Path) -> None:
    task = instance(tmp_path, "VRPTW", DEMAND + WINDOWS)
    assert vrplib.faults(task, [Tour(0, (1, 2)), Tour(1, (3,))]) == []
    assert vrplib.faults(task, [Tour(0, (3, 2)), Tour(1, (1,))]) == [], "13 is the last moment at 2"
    late = vrplib.faults(task, [Tour(0, (3, 1, 2))])
    assert "comes to 2 at 15, closed since 13" in late[-1]
    short = replace(task, longest_duty=[21, 100])
    assert "on duty for 22" in vrplib.faults(short, [Tour(0, (1, 2)), Tour(1, (3,))])[0]


def test_pairs_stay_together_and_in_order(tmp_path: Path) -> None:
    task = instance(tmp_path, "PDPTW", PAIRS)
    assert task.delivery_of == {1: 2}
    rest = Tour(1, (3,))
    assert "has not picked up" in vrplib.faults(task, [Tour(0, (2, 1)), rest])[0]
    assert any("keeps what" in fault for fault in vrplib.faults(task, [Tour(0, (1, 3)), Tour(1, (2,))]))


def test_several_trips_reload_and_wait_for_what_is_released(tmp_path: Path) -> None:
    body = DEMAND + "RELEASE_TIME_SECTION\n1 0\n2 0\n3 0\n4 15\nTIME_WINDOW_SECTION\n1 0 50\n2 0 50\n3 0 50\n4 0 19\n"
    task = instance(tmp_path, "MTVRPTWR", body + "VEHICLES_RELOAD_DEPOT_SECTION\n1 1\n2 1\n")
    [fault] = vrplib.faults(task, [Tour(0, (1, 2, 0, 3))])
    assert "comes to 3 at 25" in fault
    [fault] = vrplib.faults(task, [Tour(0, (1, 2)), Tour(1, (3,))])
    assert "comes to 3 at 20" in fault, "it may not leave before 15"


def test_a_folder_without_known_values_and_with_broken_files_is_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "A.vrp").write_text(text("CVRP", DEMAND))
    (tmp_path / "B.vrp").write_bytes(b"\xff\xfe not a text")
    (tmp_path / "C.vrp").write_text(text("CVRP", "DEMAND_SECTION\n1 0\n"))
    metrics = routing.run(tmp_path, 0.2, 1)
    assert metrics == {"mean_gap": None, "mean_gap_published_n200": None, "infeasible": 0, "unreadable": 2}
    shown = capsys.readouterr().out
    assert "unreadable" in shown
    assert "DEMAND_SECTION has 1 rows" in shown


def test_the_gap_is_of_the_cost_that_was_counted_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "A.vrp").write_text(text("CVRP", DEMAND))
    (tmp_path / "bks.csv").write_text(
        "instance,kind,n,bks_cost,status,convention\nA,CVRP,3,25,published,round: nearest integer\n"
    )
    assert routing.run(tmp_path, 0.2, 1)["mean_gap_published_n200"] == pytest.approx(20)

    def lying(*_: Any) -> list[Tour]:
        return [Tour(0, (1, 2, 3))]

    monkeypatch.setattr(routing, "_tours", lying)
    assert routing.run(tmp_path, 0.2, 1) == {
        "mean_gap": None, "mean_gap_published_n200": None, "infeasible": 1, "unreadable": 0,
    }  # fmt: skip
    assert "carries 15, at most 10" in capsys.readouterr().out
