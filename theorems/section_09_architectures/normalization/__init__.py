"""Normalized networks: models, problems, dynamics and certificates (Section 9.2)."""
