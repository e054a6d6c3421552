"""Greatest common divisors of several numbers."""

from functools import reduce

from divisors._divisors import gcd


def common(*numbers: int) -> int:
    """Return the greatest number that divides all of them."""
    return reduce(gcd, numbers, 0)
