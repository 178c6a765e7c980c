"""Residual networks: models, problems, dynamics and rounding (Section 9.1, Theorem 9.1)."""
