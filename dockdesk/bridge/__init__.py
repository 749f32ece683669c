"""Between blocking work and the GUI thread: jobs that leave it, streams that come back in batches. QtCore only."""
