"""Categories, attributes, products, units of sale, search."""
