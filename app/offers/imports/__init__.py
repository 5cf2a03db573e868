"""Price lists of sellers: read, matched, shown as a difference, and written in batches."""
