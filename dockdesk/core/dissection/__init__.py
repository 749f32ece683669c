"""What an image is made of: which files each layer adds, changes and removes, and what that costs. No Qt, no engine."""
