"""The demo data set: a market in the north-east of Moscow. Deterministic; refused in production."""
