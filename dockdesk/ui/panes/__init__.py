"""One folder a pane; panes never import each other."""
