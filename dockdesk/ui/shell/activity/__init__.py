"""The activity drawer: what runs, what ran, and how it ended."""
