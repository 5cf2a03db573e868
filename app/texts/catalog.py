"""What people read about the catalogue and offers."""

from __future__ import annotations

from flask_babel import lazy_gettext as _  # type: ignore[import-untyped]  # the package ships no types

SORTS = (
    ("relevance", _("Popular first")),
    ("price", _("Cheaper first")),
    ("unit_price", _("Cheaper per m², kg or m first")),
    ("delivered", _("Cheaper with delivery first")),
    ("newest", _("New first")),
)

ERRORS = {
    "unknown_street": _("We do not know this street. Give the coordinates."),
    "stock_changed": _("Some goods are no longer there in this quantity."),
    "price_changed": _("Some prices have changed."),
    "below_allocated": _("Orders are already promised %(allocated)s; the count cannot be lower."),
    "no_stock_level": _("This offer is not kept in that warehouse."),
    "sku_taken": _("You already have an offer with this SKU."),
    "unknown_product": _("There is no such product."),
    "unknown_warehouse": _("You have no such warehouse."),
    "unknown_sku": _("You have no offer with this SKU."),
    "unit_not_of_product": _("This product is not sold in that unit."),
    "name_taken": _("You already have a warehouse of this name."),
    "hours_order": _("The warehouse must open before it closes."),
    "not_exact": _("This quantity does not come to a whole number of millionths of the base unit."),
    "repeated_row": _("This SKU and warehouse were named in an earlier row."),
    "stock_moved": _("Meanwhile the stock became %(present)s."),
    "ladder_form": _("Write each step as quantity = price, divided by semicolons."),
    "slug_taken": _("This address is taken by another category."),
    "too_deep": _("Categories go %(maximum)s levels deep at most."),
    "category_in_use": _("The category holds products or other categories."),
    "barcode_taken": _("Another product has this barcode."),
    "one_content_unit": _("Prices are compared in one unit only."),
    "pallet_half": _("Name both: how many units stand on a returnable pallet, and the deposit for it."),
    "ladder_order": _("Each step must start at a larger quantity and cost less."),
}
