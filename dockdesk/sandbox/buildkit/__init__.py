"""BuildKit as the simulated engine has it: sessions, the Control API, a Dockerfile frontend and its cache.

What speaks HTTP/2 is imported when somebody builds: it would double what the sandbox takes to start.
"""
