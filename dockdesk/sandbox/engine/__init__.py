"""A Docker Engine without containers: the Engine API over containers that only pretend to run.

Source: Docker Engine API v1.43 (moby/api/swagger.yaml).
"""
