"""The form of what is kept: masks, packed runs, and how they are read; no torch."""
