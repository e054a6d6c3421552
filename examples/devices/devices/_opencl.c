/* How many platforms OpenCL finds. */
#include <Python.h>

#include "target.h"
#include <CL/cl.h>

static PyObject *
count(PyObject *module, PyObject *none)
{
    cl_uint platforms = 0;
    return clGetPlatformIDs(0, NULL, &platforms) == CL_SUCCESS ? PyLong_FromLong(platforms) : PyLong_FromLong(0);
}

static PyMethodDef methods[] = {{"count", count, METH_NOARGS, "Count the platforms."}, {NULL}};
static PyModuleDef_Slot slots[] = {{0}};
static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "_opencl", .m_methods = methods, .m_slots = slots,
};

PyMODINIT_FUNC
PyInit__opencl(void)
{
    return PyModuleDef_Init(&definition);
}
