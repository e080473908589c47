"""Telemetry in, incidents out."""
