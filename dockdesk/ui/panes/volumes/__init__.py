"""Volumes: what is kept outside containers, who uses it, and the files in it."""
