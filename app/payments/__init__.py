"""Payments, refunds, commission, ledger, payouts."""
