"""Faults: what goes wrong in the simulated world, one file per category."""
