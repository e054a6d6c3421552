"""setuptools, and a file that it is to find: what a project's own backend in front of another does."""

from pathlib import Path

from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403 -- every hook that is not below


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """Write down which API was meant, then build."""
    Path("devices/target.h").write_text("#define CL_TARGET_OPENCL_VERSION 120\n", encoding="utf-8")
    return build_meta.build_wheel(wheel_directory, config_settings, metadata_directory)
