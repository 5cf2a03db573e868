"""The kernel: knows of no domain and of no web framework."""
