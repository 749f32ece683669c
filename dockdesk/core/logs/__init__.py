"""Logs as bytes: kept in blocks, split into rows and read for colours only where somebody looks."""
