/* Count what stands in a list: by borrowed references for 3.9, by own ones where the API has them. */
#include <Python.h>

#ifdef Py_LIMITED_API
#define OLDEST Py_LIMITED_API
#else
#define OLDEST PY_VERSION_HEX
#endif

/* Return a new reference to what a dictionary holds for a key; NULL without an error where it holds nothing. */
static PyObject *
held(PyObject *counts, PyObject *key)
{
    PyObject *found = NULL;
#if OLDEST >= 0x030D0000
    PyDict_GetItemRef(counts, key, &found);
#else
    found = PyDict_GetItemWithError(counts, key);
    Py_XINCREF(found);
#endif
    return found;
}

static int
count_one(PyObject *counts, PyObject *key)
{
    PyObject *before = held(counts, key);
    if (before == NULL && PyErr_Occurred())
        return -1;
    PyObject *after = PyLong_FromLong(before == NULL ? 1 : PyLong_AsLong(before) + 1);
    int failed = after == NULL ? -1 : PyDict_SetItem(counts, key, after);
    Py_XDECREF(after);
    Py_XDECREF(before);
    return failed;
}

static PyObject *
count(PyObject *module, PyObject *things)
{
    PyObject *counts = PyDict_New(), *all = PyObject_GetIter(things), *one;
    int failed = counts == NULL || all == NULL;
    while (!failed && (one = PyIter_Next(all)) != NULL) {
        failed = count_one(counts, one) < 0;
        Py_DECREF(one);
    }
    Py_XDECREF(all);
    if (failed || PyErr_Occurred())
        Py_CLEAR(counts);
    return counts;
}

static int
fill(PyObject *module)
{
    return PyModule_AddIntConstant(module, "OLDEST", OLDEST >> 16 & 0xff);
}

static PyMethodDef methods[] = {{"count", count, METH_O, "How often each thing stands there."}, {NULL}};
static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, fill},
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0},
};
static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "tally", .m_methods = methods, .m_slots = slots,
};

PyMODINIT_FUNC
PyInit_tally(void)
{
    return PyModuleDef_Init(&definition);
}
