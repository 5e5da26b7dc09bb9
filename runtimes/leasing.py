"""What a request for a lease asks for: the server of an engine on a model of the store."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from distillc.plugins.api.artifacts import Model
from distillc.plugins.api.engines import LeasedEngine, Server
from distillc.plugins.api.manifest import Kind
from distillc.runtimes.stages.context import model_info
from distillc.runtimes.store import open_store
from distillc.spec.errors import StageFailed


def server_of(request: Mapping[str, Any]) -> Callable[[int], Server]:
    """The server for a port. A request is a `LeaseRequest` as a dict, with `where`, a `Where` as one."""
    from distillc.plugins.registry import load

    plugins, store = load(), open_store(request["where"]["store"])
    sealed = store.sealed(request["model"])
    if sealed is None:
        raise StageFailed("its model is not in the store", where=request["engine"], help="run again: it will be made")
    config = plugins.config_class(Kind.ENGINES, request["engine"]).model_validate(request["options"])
    engine = cast(LeasedEngine, plugins.implementation(Kind.ENGINES, request["engine"])(config))
    model = Model(store.directory(sealed), model_info(sealed.meta["info"]))
    return lambda port: engine.server(model, port=port)
