"""`dockdesk doctor`: what can be reached from here, in which versions, and what to do about what can't."""

from dockdesk.doctor.command import main

__all__ = ["main"]
