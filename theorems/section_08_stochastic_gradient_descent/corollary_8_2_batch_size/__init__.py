r"""Corollary 8.2 - TODO.

Section     TODO
Printed     TODO
Source      TODO
"""
