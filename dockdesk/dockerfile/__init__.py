"""The Dockerfile language: read, explain, complete, check, format. No Qt, no engine."""
