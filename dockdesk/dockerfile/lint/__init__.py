"""What could be better in a Dockerfile: own rules, hadolint and the engine's checks, told once each."""
