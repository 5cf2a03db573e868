"""Price history, forecasts, market index, recommendations."""
