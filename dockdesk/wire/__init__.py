"""Protocols that several parts of DockDesk speak, from either end: gRPC over HTTP/2, and BuildKit on it."""
