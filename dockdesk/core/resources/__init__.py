"""What DockDesk shows: frozen values, made by backends at their edge, safe to hand between threads."""
