# cython: language_level=3
import cython

MADE_BY = cython.__version__


def count(str text):
    """Count the words of a text."""
    cdef bint inside = False
    cdef Py_ssize_t words = 0
    cdef Py_UCS4 letter
    for letter in text:
        if letter.isspace():
            inside = False
        elif not inside:
            inside = True
            words += 1
    return words
