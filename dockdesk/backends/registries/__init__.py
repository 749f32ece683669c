"""Registries over HTTP: the distribution API of any of them, and Docker Hub's own. `backend.py` puts them together."""
