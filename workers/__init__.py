"""Processes beside the web: worker, relay, schedule; and the jobs of each domain."""
