"""HTTP for every room: sessions as this machine is configured, bodies within limits, downloads."""
