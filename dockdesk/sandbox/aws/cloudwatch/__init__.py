"""The simulated CloudWatch: metrics, metric math, alarms and their history."""
