"""The simulated Application Auto Scaling, for ECS services: it acts."""
