"""DockDesk: the desktop application for containers and the services they become."""

__version__ = "0.1.0"
