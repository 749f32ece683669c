"""Containers: the list, and everything inside one."""
