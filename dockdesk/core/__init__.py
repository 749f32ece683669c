"""What DockDesk knows without Qt, an SDK or a network: resources, ports, actions and errors."""
