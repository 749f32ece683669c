"""Local images: what is there, what uses it, and its way in and out."""
