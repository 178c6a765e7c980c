r"""Section 8.1: stochastic differential equation - TODO.

Section     TODO
Printed     TODO
Source      TODO
"""
