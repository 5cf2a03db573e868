"""Pages of the own account: sign-in, profile, devices, sites, organisations."""
