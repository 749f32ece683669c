"""From a `docker run` line, a Compose service or a form to a ContainerSpec, and back to commands."""
