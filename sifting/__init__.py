"""Sifting: what iterative magnitude pruning makes of a network, as an executable book."""
