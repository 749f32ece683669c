"""Registry logins as the docker CLI and Podman keep them. Passwords are never logged, kept or written."""
