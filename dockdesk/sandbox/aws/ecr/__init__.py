"""The simulated ECR: repositories and images as its API tells them. The registry itself is served elsewhere."""
