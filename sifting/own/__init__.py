"""The library's front door, for networks and images of one's own: thin, for the book goes by the same rooms.

What it names is in `sifting`, too; see sifting.FROM.
"""
