"""Makers of rows for tests: plain functions by area (`from tests.factories import accounts as make_accounts`)."""
