"""Docker Engine and Podman, through the Engine API.

`contexts.discover` finds endpoints without importing the SDK; `backend.connect` makes an Engine of one.
"""
