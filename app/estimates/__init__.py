"""Assemblies, estimates, projects: from dimensions to materials."""
