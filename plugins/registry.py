"""The registry: finds plugins by entry point, reads their manifests, loads what is asked for by name.

Built-ins come through the same door as third parties: the entry points of distribution `distillc`. What `lint` needs (manifests
and the schemas of their configs) is cached in one JSON file, made in a child process, so that the linter loads no pydantic.
"""
