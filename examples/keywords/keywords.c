/* Python's keywords, by the perfect hash of table.h, which gperf writes before the build. */
#include <Python.h>
#include <string.h>

#include "table.h"

static PyObject *
known(PyObject *module, PyObject *word)
{
    Py_ssize_t length;
    PyObject *bytes = PyUnicode_AsUTF8String(word);
    char *text;
    if (bytes == NULL || PyBytes_AsStringAndSize(bytes, &text, &length) < 0) {
        Py_XDECREF(bytes);
        return NULL;
    }
    const struct keyword *found = in_word_set(text, (size_t)length);
    Py_DECREF(bytes);
    return PyBool_FromLong(found != NULL && (EVERY_KEYWORD || !found->soft));
}

static PyMethodDef methods[] = {{"known", known, METH_O, "Whether a word is a keyword."}, {NULL}};
static PyModuleDef_Slot slots[] = {{0}};
static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "keywords", .m_methods = methods, .m_slots = slots,
};

PyMODINIT_FUNC
PyInit_keywords(void)
{
    return PyModuleDef_Init(&definition);
}
