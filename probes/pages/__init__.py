"""Profiles beside the literature: tables, figures and the page."""
