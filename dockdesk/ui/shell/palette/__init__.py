"""The command palette: everything the program can do and show, found by typing a few letters."""
