"""Networks: who is on them, and at which address."""
