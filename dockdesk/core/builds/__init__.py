"""Builds while they run and after: progress, time, cache, and what differs between two."""
