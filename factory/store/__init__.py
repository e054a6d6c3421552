"""The store: bytes by digest, results by key, locks and temporary folders, shared by every run on this machine."""

from factory.store.store import Store

__all__ = ["Store"]
