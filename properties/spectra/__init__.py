"""Spectra: nuclear norms with duals, and effective ranks."""
