"""Errors as each dialect writes them."""

from distillc.testing.server.script import Dialect

_TYPES = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}


class Refused(Exception):
    """A request that gets an error for an answer."""

    def __init__(self, status: int, message: str, *, param: str | None = None, code: str | None = None, value: object = None) -> None:
        super().__init__(message)
        self.status, self.message, self.param, self.code, self.value = status, message, param, code, value

    def body(self, dialect: Dialect) -> dict[str, object]:
        if dialect != "nebius":
            kind = _TYPES.get(self.status, "invalid_request_error" if self.status < 500 else "server_error")
            return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}
        if self.status == 422:
            place = ["body", *self.param.split(".")] if self.param else ["body"]
            return {"detail": [{"loc": place, "msg": self.message, "type": self.code or "value_error", "input": self.value, "ctx": {}}]}
        return {"detail": self.message}


def invalid(dialect: Dialect, message: str, param: str, value: object = None) -> Refused:
    """A request that is wrong in itself: 422 where FastAPI checks it, 400 elsewhere."""
    return Refused(422 if dialect == "nebius" else 400, message, param=param, code=None, value=value)


def no_model(name: object) -> Refused:
    return Refused(404, f"The model `{name}` does not exist or you do not have access to it.", param="model", code="model_not_found")
