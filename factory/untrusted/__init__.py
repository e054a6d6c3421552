"""The only readers of texts that strangers wrote: packages, backends, indexes and images.

Each reader is bounded in bytes, lines, elements and nesting before a parser of the standard library or of `packaging`
sees the text, takes time in proportion to it, and raises only `UntrustedTextError`. Lint and
`tests/unit/untrusted/test_only_door.py` refuse the raw parsers elsewhere.
"""

from factory.untrusted.headers import Headers, judge_metadata, mail_address, parse_headers
from factory.untrusted.limits import UntrustedTextError, decoded, excerpt
from factory.untrusted.names import compressed_tags, count_tags, parse_sdist_name, parse_wheel_name, split_variant
from factory.untrusted.requirements import (
    dependency_group,
    marker_holds,
    parse_project_name,
    parse_requirement,
    parse_specifiers,
    parse_version,
)
from factory.untrusted.script import literal, parse_script
from factory.untrusted.sections import parse_configuration, parse_entry_points
from factory.untrusted.tables import parse_json, parse_rows, parse_toml

__all__ = [
    "Headers",
    "UntrustedTextError",
    "compressed_tags",
    "count_tags",
    "decoded",
    "dependency_group",
    "excerpt",
    "judge_metadata",
    "literal",
    "mail_address",
    "marker_holds",
    "parse_configuration",
    "parse_entry_points",
    "parse_headers",
    "parse_json",
    "parse_project_name",
    "parse_requirement",
    "parse_rows",
    "parse_script",
    "parse_sdist_name",
    "parse_specifiers",
    "parse_toml",
    "parse_version",
    "parse_wheel_name",
    "split_variant",
]
