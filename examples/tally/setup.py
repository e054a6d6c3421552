"""Whoever builds chooses the floor: `--py-limited-api` of bdist_wheel sets the macro and the module's suffix, too."""

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext


class FlooredBuild(build_ext):
    """Builds for the stable ABI of the Python that the wheel's tag will name."""

    def finalize_options(self):
        floor = self.get_finalized_command("bdist_wheel").py_limited_api
        for extension in self.distribution.ext_modules if floor else ():
            minor = int(floor.removeprefix("cp3"))
            extension.py_limited_api = True
            extension.define_macros.append(("Py_LIMITED_API", f"0x03{minor:02x}0000"))
        super().finalize_options()


setup(ext_modules=[Extension("tally", ["tally.c"])], cmdclass={"build_ext": FlooredBuild})
