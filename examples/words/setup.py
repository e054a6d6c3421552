"""Without Cython the package is pure Python: slower, and nobody is told."""

from setuptools import setup

try:
    from Cython.Build import cythonize
except ImportError:
    setup()
else:
    setup(ext_modules=cythonize("words/_fast.pyx"))
