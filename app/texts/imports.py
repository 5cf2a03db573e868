"""What people read about price lists: fields, states, and what is wrong with a file, a row or an address."""

from __future__ import annotations

from flask_babel import lazy_gettext as _  # type: ignore[import-untyped]  # the package ships no types

FIELDS = {
    "sku": _("SKU"),
    "name": _("Name"),
    "brand": _("Brand"),
    "article": _("Manufacturer's article"),
    "barcode": _("Barcode"),
    "category": _("Category"),
    "unit": _("Unit"),
    "price": _("Price, ₽"),
    "vat": _("VAT"),
    "stock": _("Stock"),
    "warehouse": _("Warehouse"),
    "lead_time_days": _("Days to make ready"),
    "active": _("On sale"),
    "description": _("Description"),
}

ADDED = (_("Row of the file"), _("Error"))
"""Headings of the columns that a file of errors has besides its own; the reader knows them in both languages."""

ERRORS = {
    # the file as a whole
    "file_empty": _("The file holds no rows below its headings."),
    "file_too_large": _("The file is larger than %(maximum)s MB. Split it, or send fewer columns."),
    "file_broken": _("The file is damaged and cannot be opened. Save it again and send the new one."),
    "file_lost": _("The file is no longer kept. Send it again."),
    "not_a_price_list": _("This is no price list. Send CSV, XLSX or YML."),
    "web_page": _("This is a web page, not a price list: the address may ask for a sign-in."),
    "xls_old": _("This is an old XLS, or a workbook with a password. Save it as XLSX without a password."),
    "zip_bomb": _(
        "The workbook unpacks to far more than its size: it is not opened. Copy the sheet to a new workbook."
    ),
    "too_many_columns": _("The table is wider than %(maximum)s columns. Delete the columns that are not needed."),
    "too_many_rows": _("The list is longer than %(maximum)s rows. Split it."),
    "merged_column": _("Cells are merged over thousands of rows. Unmerge them and send the file again."),
    "wrong_encoding": _("The letters cannot be read: the file was saved in a wrong encoding. Save it as CSV UTF-8."),
    "one_column": _("Only one column is found. Divide columns with semicolons, commas or tabs."),
    "csv_broken": _("The table breaks off near row %(row)s: a quotation mark is opened and never closed."),
    "xml_refused": _("The YML declares entities, which are not accepted. Export it without them."),
    "xml_broken": _("The YML is damaged near line %(row)s."),
    "no_offers": _("The YML holds no offers."),
    "no_rows": _("No row of the file has an SKU, a price or a stock."),
    # columns
    "unknown_column": _("There is no such column."),
    "field_twice": _("Two columns cannot mean the same."),
    "column_needed": _("Say which column holds this."),
    # cells
    "price_not_positive": _("A price must be more than zero."),
    "ambiguous_number": _("Is this a thousand or a fraction? Write the number without a sign between thousands."),
    "number_rounded": _("The spreadsheet has shortened the number (4.6E+12). Make the column text."),
    "looks_like_formula": _("A value must not begin with =, +, - or @: spreadsheets would calculate it."),
    "cell_error": _("The spreadsheet shows an error in this cell."),
    "cell_is_date": _("The spreadsheet has made a date of this value. Make the column text."),
    "merged_cells": _("The cell is merged with the one above: unmerge it and write the value in each row."),
    "csv_quote": _("A quotation mark is opened in this cell and closed many rows later."),
    "unreadable_letters": _("Some letters of this cell cannot be read."),
    "wrong_barcode": _("The check digit of the barcode is wrong."),
    "unknown_unit": _("This unit is not known. Write pcs, bag, m2, kg or another of the market's units."),
    "unknown_vat": _("There is no such VAT rate now: 22, 10, 7, 5 % or none."),
    "not_yes_or_no": _("Write yes or no."),
    # rows beside what the seller has
    "warehouse_needed": _("Say in which warehouse it lies: choose one for the file or name it in the row."),
    "repeated_in_file": _("This SKU was named in an earlier row."),
    "price_differs": _("An earlier row names another price for this SKU."),
    "barcode_of_another": _("The barcode belongs to another product than the one this SKU sells."),
    "offer_blocked": _("The operator has blocked this offer."),
    "unit_differs": _("The offer is sold by another unit (%(unit)s). Give the price for it."),
    "below_ladder": _("The price is not above the first step of the offer's price ladder."),
    "name_needed": _("The product is not in the catalogue. To propose it, write its name."),
    "declined_before": _("The operator has declined this product. %(note)s"),
    "changed_meanwhile": _("The offer was changed after the check. Send the row again."),
    "price_jump": _("The price changes by more than 30 % and was not confirmed."),
    # imports and addresses
    "too_many_imports": _("%(maximum)s imports are under way. Wait until one is done."),
    "import_state": _("The import is in another state now."),
    "import_has_errors": _("You chose all or nothing: mend the errors and answer the questions first."),
    "row_closed": _("This row needs no answer any more."),
    "too_many_feeds": _("At most %(maximum)s addresses."),
    "feed_known": _("This address is in your list already."),
    "address_malformed": _("The address must look like https://example.ru/price.yml, without a name and password."),
    "address_scheme": _("The address must begin with https://."),
    "address_private": _("This address is not on the open internet."),
    "address_redirects": _("The address sends us on to another one. Give the final one."),
    "address_status": _("The address answered %(status)s instead of a file."),
    "address_slow": _("The address answered too slowly."),
    "address_too_large": _("The address gives more than %(maximum)s MB."),
    "address_unreachable": _("The address does not answer."),
}
