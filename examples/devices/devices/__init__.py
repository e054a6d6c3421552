"""OpenCL's platforms, where there are any."""

try:
    from devices._opencl import count
except ImportError:  # This system has no OpenCL.

    def count() -> int:
        """Count the platforms: none."""
        return 0


__all__ = ["count"]
