"""What DockDesk did, as commands."""
