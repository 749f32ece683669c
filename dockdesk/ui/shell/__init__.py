"""The window around the panes: navigation, palette, activity, notices, settings."""
