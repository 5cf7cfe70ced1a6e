"""Axes of what is stored of utility and of accuracy between networks: names and numbers."""

# --- utility of sets of weights

RATIOS = (0.01, 0.05, 0.075, 0.1, 0.15, 0.25)  # shares of the weights that are taken out
# what the shares are of: the weights that there are; as many as there would be without a sparse start; or,
# instead of all, at level 0 of a run that prunes, the weights that the first pruning keeps
BASES = ("share", "number", "survivors")
WINDOWS = 15  # places of a window of weights by their rank

# --- accuracy between networks

# what batch norm does between networks: statistics interpolated like the weights; those of the weights
# themselves, on the images that accuracy is measured on; or always those of the dense network
STATISTICS = ("interpolated", "recomputed", "frozen")
# from the dense network, and from that of the level before, to the retrained one
LINES = ("whole", "step")
