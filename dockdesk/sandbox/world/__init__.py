"""One world behind all simulated APIs: its time, its traffic, its scenarios, its images."""
