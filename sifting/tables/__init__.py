"""What the figures draw and the statements test: small tables of stored runs, a module a subject; no torch."""
