"""Immutable artifacts: `blobs/<sha256>` and `manifests/<stage key>`, on files or on object storage."""

from distillc.runtimes.store.artifacts import Store, location, open_store
from distillc.runtimes.store.blobs import Blobs, LocalBlobs
from distillc.runtimes.store.sealed import File, Sealed

__all__ = ["Blobs", "File", "LocalBlobs", "Sealed", "Store", "location", "open_store"]
