"""The home page asks what is being built."""

from __future__ import annotations

from flask import current_app, render_template

from app.access import Guarded
from app.catalog import queries
from app.core.permissions import Permission
from app.estimates import assemblies
from app.estimates.assemblies import Bundle
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
    """The tiles with names and the first materials of each, in the reader's language."""
    en = language() == "en"
    found = []
    for key, picture in HOME_TILES:
        item = assemblies.bundles().get(key) or assemblies.assemblies()[key]
        parts = [assemblies.assemblies()[k] for k in item.mapping] if isinstance(item, Bundle) else [item]
        lines = [line for part in parts for line in part.lines][:3]
        found.append(
            {
                "id": key,
                "drawing": picture,
                "name": item.en if en else item.ru,
                "materials": ", ".join(line.en if en else line.ru for line in lines),
            }
        )
    return found
