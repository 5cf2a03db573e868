"""People, devices, sessions, tokens, organisations and their members."""
