"""Builds that are running and all that were: what went in, what came out, and what differs."""
