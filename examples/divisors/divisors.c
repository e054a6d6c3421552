#include <Python.h>

static PyObject *
gcd(PyObject *module, PyObject *arguments)
{
    unsigned long long first, second;

    if (!PyArg_ParseTuple(arguments, "KK:gcd", &first, &second))
        return NULL;
    while (second) {
        unsigned long long rest = first % second;
        first = second;
        second = rest;
    }
    return PyLong_FromUnsignedLongLong(first);
}

static PyMethodDef methods[] = {
    {"gcd", gcd, METH_VARARGS, "gcd(first, second)\n--\n\nReturn the greatest common divisor."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "divisors._divisors", NULL, -1, methods};

PyMODINIT_FUNC
PyInit__divisors(void)
{
    return PyModule_Create(&definition);
}
