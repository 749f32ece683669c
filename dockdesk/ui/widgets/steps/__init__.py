"""Steps that depend on each other, as a list with their graph and over time. They know nothing of what the steps do."""
