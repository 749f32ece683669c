"""Dockerfiles: written with help, checked while they are typed, and built."""
