"""Docker Engine and Podman, through the Engine API."""
