"""The home page asks what is being built."""

from __future__ import annotations

from flask import current_app, render_template

from app.access import Guarded
from app.catalog import queries
from app.core.permissions import Permission
from app.estimates import assemblies
from app.web.filters import language

pages = Guarded("home", __name__)


@pages.get("/", permission=Permission.PUBLIC)
def show() -> str:
    """What are you building?"""
    nodes = queries.tree(current_app.extensions["cache"])
    return render_template("buyer/home.html", tree=nodes, tiles=home_tiles())


HOME_TILES = (
    ("aerated_block_wall", "block"), ("brick_wall", "brick"), ("partition_c111", "profile"),
    ("screed_dry_mix", "bag-cement"), ("roof_metal_tile", "roof-sheet"), ("facade_etics", "wool"),
    ("bathroom_full", "tile"), ("laminate", "floor-board"),
)  # fmt: skip
"""Assemblies and bundles shown first, with a drawing each."""


def home_tiles() -> list[dict[str, str]]:
    """The tiles with names and the first materials of each."""
    found = []
    for key, picture in HOME_TILES:
        item = assemblies.summary(key)
        ru = language() != "en"
        found.append(
            {
                "id": key,
                "drawing": picture,
                "name": item.name_ru if ru else item.name_en,
                "materials": ", ".join(item.materials_ru if ru else item.materials_en),
            }
        )
    return found
