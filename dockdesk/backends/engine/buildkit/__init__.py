"""Builds: BuildKit natively, the classic builder, and buildx; see Builds in core/ports.py."""
