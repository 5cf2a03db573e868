"""Measurements that print a table and one JSON line; see README."""
