from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "devices._opencl",
            ["devices/_opencl.c"],
            libraries=["OpenCL"],
            define_macros=[("Py_LIMITED_API", "0x03090000")],
            py_limited_api=True,
        )
    ]
)
