"""Images: declared, bootstrapped or pulled, prepared for recipes, probed before use."""

from factory.images.helper import helper_image
from factory.images.known import declared
from factory.images.prepared import PreparedHere, prepared_here
from factory.images.ready import ReadyImage, ensure, is_here

__all__ = ["PreparedHere", "ReadyImage", "declared", "ensure", "helper_image", "is_here", "prepared_here"]
