"""A simulated world behind real protocols: Docker Engine, registry, AWS and Kubernetes on a bare laptop.

It runs as a process of its own and listens on loopback and unix sockets only; nothing in DockDesk imports it but the
launcher, so panes and backends can't tell it from the real systems.
"""
