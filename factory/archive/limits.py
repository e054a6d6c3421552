"""How much of an archive is read."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveLimits:
    """How much is read: per member, in all, how many members, how long their names, and how far they may be inflated.

    `ratio` is the greatest factor by which a member of more than `ratio_bytes` may grow: 200 is far above what real
    objects and tables reach, and deflate alone could reach 1032. All members together may grow by `total_ratio`, where
    they come to more than twice `ratio_bytes`. Names count as they are written:
    `name_bytes` limits one name, `names_bytes` all together.
    """

    member_bytes: int = 1 << 31
    total_bytes: int = 1 << 33
    members: int = 1 << 16
    ratio: int = 200
    ratio_bytes: int = 1 << 26
    total_ratio: int = 50
    name_bytes: int = 1 << 10
    names_bytes: int = 1 << 24


LIMITS = ArchiveLimits()
