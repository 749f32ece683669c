"""The simulated CloudWatch Logs: what tasks write, and what clients put."""
