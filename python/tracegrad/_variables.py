"""What a minimisation, a sweep and tune return has in common."""

from __future__ import annotations

from typing import Any


class Variables:
    """Fields, and the variables as attributes and by []. `_what` names the object in an error."""

    _what = ""

    def __init__(self, **fields: Any) -> None:
        self.variables: dict[str, Any] = fields.pop("variables")
        self.__dict__.update(fields)

    def __getitem__(self, name: str) -> Any:
        return self.variables[name]

    def __getattr__(self, name: str) -> Any:
        variables = self.__dict__.get("variables", {})
        if name in variables:
            return variables[name]
        raise AttributeError(f"{self._what} has no {name!r}; its variables are {', '.join(variables)}")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.variables]
