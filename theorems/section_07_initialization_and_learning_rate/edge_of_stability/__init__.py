"""Descent at the edge of stability: small networks, sharpness along a run, and the rule that judges a run."""
