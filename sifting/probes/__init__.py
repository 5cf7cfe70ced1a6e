"""What else is measured of a run: one module a kind of result."""
