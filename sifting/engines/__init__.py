"""Other ways to train than the reference loop; each is held to it by a test."""
