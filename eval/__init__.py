"""Labelled incidents in, numbers out."""
