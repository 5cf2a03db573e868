"""Sellers' offers, prices, warehouses and stock."""
