"""Which minimum an optimizer picks."""

from probes.profiles.document import load, load_all
from probes.profiles.profile import Profile, bias_profile

__all__ = ["Profile", "bias_profile", "load", "load_all"]
