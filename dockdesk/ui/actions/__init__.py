"""Carrying out actions: guard, form, confirmation, jobs, audit and equivalents, the same way for every pane."""
