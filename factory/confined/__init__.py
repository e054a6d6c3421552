"""Reading strangers' files in processes of their own, with limits on memory and time, whose end is a value.

A reader is forked, so that everything is loaded already and a reader costs milliseconds. A process with several threads
must not be forked: a run forks `Readers` before it starts any.
"""

from factory.confined.bounds import Bounds, Overrun, Reader
from factory.confined.forked import confined, confined_all
from factory.confined.readers import Readers

__all__ = ["Bounds", "Overrun", "Reader", "Readers", "confined", "confined_all"]
