"""Small tables of stored runs, for figures and statements; a module a subject; no torch."""
