"""Incidents in, explanations out."""
