"""The simulated EKS: clusters with their node groups, Fargate profiles, add-ons and access."""
