"""Pages of sellers: orders, offers, warehouses."""
