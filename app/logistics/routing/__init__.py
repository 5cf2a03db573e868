"""Route planning: road times, the planning problem, solvers, an independent checker and reasons. No database, no web."""
