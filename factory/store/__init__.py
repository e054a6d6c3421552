"""The store: bytes by digest, results by key, locks and temporary folders, for all runs of one user."""

from factory.store.store import Store

__all__ = ["Store"]
