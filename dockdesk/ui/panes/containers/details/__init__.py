"""What the tabs beside the container list show."""
