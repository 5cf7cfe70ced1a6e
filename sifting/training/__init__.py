"""Networks, and loops that train them."""
