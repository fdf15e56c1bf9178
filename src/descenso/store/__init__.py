"""The store keeps runs, curves and verdicts as they are produced, in one transaction per chunk."""

from descenso.store._store import Store, StoredStudy, default_url

__all__ = ["Store", "StoredStudy", "default_url"]
