"""A registry that stores what is pushed: the distribution API with token login, and Docker Hub's own HTTP API.

Nothing outside its folder is written; everything is gone with it.
"""
