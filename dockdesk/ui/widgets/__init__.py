"""Reusable widgets that know no resource."""
