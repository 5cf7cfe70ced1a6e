"""From stored results and notebooks to the site: plans, statements, pages."""
