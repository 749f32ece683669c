"""What DockDesk remembers between starts, in one SQLite file on this computer."""

from dockdesk.backends.archive.audit import AuditArchive
from dockdesk.backends.archive.builds import BuildArchive
from dockdesk.backends.archive.database import Database

__all__ = ["AuditArchive", "BuildArchive", "Database"]
