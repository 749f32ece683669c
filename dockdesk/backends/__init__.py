"""One folder a system; each talks, converts at its edge, and offers core's ports."""
