"""The uv that is installed with the factory."""

from threading import Lock

import uv

from factory.errors import FactoryError

_finding_uv = Lock()


def find_uv() -> str:
    """Return the path of the uv that is installed with the factory, from any thread.

    uv asks sysconfig, whose first answer in a process is None for a thread that asks while another does (CPython 3.11).

    Raises:
        FactoryError: it is not there.
    """
    with _finding_uv:
        try:
            return uv.find_uv_bin()
        except FileNotFoundError as error:  # its own UvNotFound is one, with a list of places over many lines
            hint = "install the factory again, into an environment of its own: uv comes with it"
            raise FactoryError("uv is not installed beside the factory", hint=hint) from error
