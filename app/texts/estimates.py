"""What people read about estimates."""

from __future__ import annotations

from flask_babel import lazy_gettext as _  # type: ignore[import-untyped]  # the package ships no types

GROUPS = {
    "drywall": _("Drywall"),
    "masonry": _("Walls of brick and block"),
    "concrete": _("Concrete and foundations"),
    "floors": _("Floors"),
    "tiling": _("Tiles and bathrooms"),
    "wall_finishes": _("Wall finishes"),
    "insulation": _("Insulation and facade"),
    "waterproofing": _("Waterproofing"),
    "roofing": _("Roof and gutters"),
    "timber": _("Timber"),
    "landscape": _("Yard"),
}

OPTIONS = {
    "dry": _("dry mix"),
    "site": _("mixed on site"),
    "прямая": _("straight"),
    "со смещением": _("with an offset"),
    "диагональ": _("diagonal"),
    "ёлочка": _("herringbone"),
    "прямая хаотичная": _("straight, random"),
    "прямая 1/3": _("straight, 1/3 offset"),
    "прямая 1/2": _("straight, 1/2 offset"),
    "бетон": _("concrete"),
    "кирпич": _("brick"),
    "газобетон": _("aerated concrete"),
    "гладкая": _("smooth"),
    "бетон/штукатурка": _("concrete or plaster"),
    "обои под покраску": _("wallpaper for painting"),
    "пористая": _("porous"),
    "рельеф": _("textured"),
    "минвата": _("mineral wool"),
    "ППС": _("expanded polystyrene"),
}

PROBLEMS = {
    "no_product": _("Nobody sells this now"),
    "no_stock": _("Out of stock at every seller"),
    "unit_mismatch": _("Sold in a unit that the norm does not count in"),
    "short_stock": _("Less than needed is in stock"),
}

ERRORS = {
    "openings_exceed_area": _("The openings are larger than the surface."),
    "dimensions_contradict": _("The dimensions contradict each other."),
    "unknown_input": _("There is no such dimension."),
    "unknown_assembly": _("There is no such work."),
    "part_too_small": _("%(part)s: at least %(minimum)s."),
    "part_too_large": _("%(part)s: at most %(maximum)s."),
    "not_for_this_line": _("This product cannot stand in this line: another kind of goods, or another measure."),
    "not_priced_yet": _("The prices are still being looked up. Try again in a moment."),
    "nothing_to_buy": _("Nothing of this estimate is in stock now."),
}
