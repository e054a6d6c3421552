"""Images: declared, bootstrapped or pulled, prepared for recipes, found again by digest, probed before use."""

from factory.images.known import declared, plain_image
from factory.images.prepared import PreparedHere, prepared_here
from factory.images.ready import ReadyImage, ensure, is_here

__all__ = ["PreparedHere", "ReadyImage", "declared", "ensure", "is_here", "plain_image", "prepared_here"]
