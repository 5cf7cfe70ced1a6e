"""The experiment: train, prune, rewind, again."""
