"""Carts, checkout, order groups, fulfilments, returns, quotes."""
