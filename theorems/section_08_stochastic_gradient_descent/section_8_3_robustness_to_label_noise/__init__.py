r"""Section 8.3: robustness to label noise - TODO.

Section     TODO
Printed     TODO
Source      TODO
"""
