"""What a source's build asks of the system: headers, libraries, `pkg-config` names and programs, found by reading.

Only what no condition decides counts, and only where the build itself names it: an image need not hold what an option
of a vendored library would use.
"""
