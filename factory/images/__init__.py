"""Images: declared in data files, bootstrapped from Debian's packages, found again by digest, probed before use."""

from factory.images.ready import ReadyImage, ensure, is_here
from factory.images.spec import declared

__all__ = ["ReadyImage", "declared", "ensure", "is_here"]
