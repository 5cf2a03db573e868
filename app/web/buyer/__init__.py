"""Pages of buyers: catalogue, estimates, cart, checkout, orders."""
