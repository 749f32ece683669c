"""What takes up the engine's disk, and freeing it."""
