"""Which drawing stands in for a photograph: every category of the catalogue has an isometric one."""

from __future__ import annotations

GROUPS: dict[str, str] = {
    "dry_mixes": "bag-plaster",
    "binders_bulk": "bag-cement",
    "masonry": "brick",
    "drywall": "profile",
    "metal": "rebar",
    "timber": "lumber",
    "roofing": "roof-sheet",
    "insulation": "wool",
    "waterproofing": "roll",
    "facade": "siding",
    "paint": "bucket",
    "finishing": "floor-board",
    "tile": "tile",
    "fasteners": "screws",
    "landscaping": "paving",
    "engineering": "pipe",
    "doors_windows": "door",
    "tools": "tool",
}
"""Top category to drawing."""

_LEAVES: dict[str, str] = {
    "bag-cement": "cement cement_plaster masonry_mortar ready_mortar screed_mix",
    "bag-glue": "tile_adhesive block_adhesive gypsum_adhesive facade_adhesive grout_cement grout_epoxy wallpaper_glue",
    "heap": "sand crushed_stone expanded_clay quartz_sand ready_concrete",
    "bucket": "ready_putty concrete_additives bitumen_mastic bitumen_primer coating_waterproofing floor_adhesive",
    "brick-facing": "brick_facing",
    "block-ceramic": "ceramic_block",
    "block": "aerated_block",
    "block-hollow": "light_block",
    "board-pgp": "gypsum_block",
    "block-thin": "lintel",
    "radiator": "radiator",
    "sheet-gypsum": "gypsum_board gypsum_fibre_board cement_board ceiling_panel",
    "coil": "joint_tape sealing_tape membrane_tape damper_tape sealing_band tie_wire cable cable_accessories "
    "heating_mat",
    "mesh": "welded_mesh masonry_mesh facade_mesh fibreglass_wallcover",
    "profile": "profile_pipe rolled_steel start_profile tile_profile siding_trim skirting",
    "sheet-osb": "osb plywood fibreboard",
    "siding": "wood_lining vinyl_siding facade_panel wall_panel",
    "floor-board": "decking_board decking_joist laminate vinyl_flooring engineered_wood",
    "roll": "underlay_carpet foil_insulation wallpaper linoleum floor_underlay geotextile profiled_membrane",
    "pipe": "gutter gutter_fittings drainage_pipe drainage_well pipe_water pipe_sewer",
    "foam-board": "eps xps pir",
    "screws": "hangers profile_connectors facade_dowel skirting_fittings tile_crosses tile_leveling rebar_spacers "
    "door_hardware wiring_devices fittings_valves fence_fittings",
    "can": "pu_foam foam_adhesive sealant mounting_adhesive",
    "fence": "fence_post",
    "window": "window",
}
LEAVES: dict[str, str] = {leaf: drawing for drawing, leaves in _LEAVES.items() for leaf in leaves.split()}
"""Leaf category to drawing, where it differs from its group's."""

FALLBACK = "pallet"
OTHERS = ("truck", "block-flat", "block-poly", "brick-clinker")
DRAWINGS = frozenset([*LEAVES.values(), *GROUPS.values(), FALLBACK, *OTHERS])
"""Every drawing there is."""


def name_of(category: str, group: str = "") -> str:
    """Name of the drawing of a category.

    Args:
        category: id or slug of the leaf, e.g. `aerated_block` or `aerated-block`.
        group: id or slug of its top category; used when the leaf has no drawing of its own.
    """
    leaf, top = category.replace("-", "_"), group.replace("-", "_")
    return LEAVES.get(leaf) or GROUPS.get(leaf) or GROUPS.get(top) or FALLBACK


def file_of(name: str, group: str = "") -> str:
    """Static path of a drawing, given its own name or a category's."""
    return f"img/{name if name in DRAWINGS else name_of(name, group)}.svg"
