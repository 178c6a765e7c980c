r"""Proposition 8.3 - TODO.

Section     TODO
Printed     TODO
Source      TODO
"""
