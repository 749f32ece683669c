"""What DockDesk ships beside its code: icons, fonts and style; the package `dockdesk.data` to importlib.resources."""
