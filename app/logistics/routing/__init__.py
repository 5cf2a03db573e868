"""Route planning: road times, the problem, solvers, an independent checker and reasons. No database, no web."""
