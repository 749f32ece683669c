"""The simulated ECS: its state, the scheduler that moves it, and its API."""
