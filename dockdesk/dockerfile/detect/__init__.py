"""Detectors: one module a family of languages, each reading what its projects say of themselves."""
