"""The only reader of this machine's environment: indexes, proxies, certificates, credentials and folders, as one value.

What is read here is passed on explicitly. It never enters a key, a label or a log: any URL may hold credentials.
"""

from factory.host.cargo import registry_id
from factory.host.find_uv import find_uv
from factory.host.machine import Host
from factory.host.reading import read_host, variable_names
from factory.host.urls import checked_url, is_loopback

__all__ = ["Host", "checked_url", "find_uv", "is_loopback", "read_host", "registry_id", "variable_names"]
