"""Attention: layers, problems, dynamics, certificates, and a small trained classifier (Section 9.3)."""
