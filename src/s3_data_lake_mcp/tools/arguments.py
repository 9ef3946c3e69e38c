"""From what a client sent to what a tool function takes: checked, completed, never guessed."""

import contextlib
import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from s3_data_lake_mcp import cursors
from s3_data_lake_mcp.errors import InvalidArgumentError
from s3_data_lake_mcp.fence import scrub, visible
from s3_data_lake_mcp.lake import Call
from s3_data_lake_mcp.storage.keys import split_uri
from s3_data_lake_mcp.tools.meant import (
    PAGE_SIZES,
    PLACES,
    WITHOUT_HARM,
    joined,
    meant_bucket,
    meant_condition,
    meant_name,
    meant_place,
    meant_values,
    refused_predicate,
)

_KINDS = {int: "an integer", bool: "a boolean", list: "an array of strings", str: "a string"}
_FREE = PAGE_SIZES | {"bucket_name", "cursor", *PLACES}


class Signature:
    """The parameters of one tool, and how its arguments are read.

    The function's keyword-only parameter `call` is injected.
    """

    def __init__(self, function: Callable[..., BaseModel]) -> None:
        parameters = dict(inspect.signature(function).parameters)
        parameters.pop("call", None)
        fields: dict[str, Any] = {
            name: (
                parameter.annotation,
                ... if parameter.default is inspect.Parameter.empty else parameter.default,
            )
            for name, parameter in parameters.items()
        }
        self.name = function.__name__
        self.defaults = {
            name: parameter.default
            for name, parameter in parameters.items()
            if parameter.default is not inspect.Parameter.empty
        }
        self.place = next((name for name in PLACES if name in parameters), "")
        self.names = list(parameters)
        config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)
        self._model = create_model(f"{function.__name__}_arguments", __config__=config, **fields)

    def validate(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return all parameters with their values.

        Raises:
            InvalidArgumentError: If a name is unknown, or a value of a wrong type or range.
        """
        for name in arguments:
            if name not in self.names:
                self._refuse_unknown(name, arguments)
        whole = {name: _integral(value) for name, value in arguments.items()}
        try:
            checked = self._model.model_validate(whole)
        except ValidationError as exc:
            raise self._invalid(exc, whole) from exc
        return {name: getattr(checked, name) for name in self.names}

    def _refuse_unknown(self, name: str, arguments: Mapping[str, Any]) -> None:
        message = f"{visible(name)} is not a parameter of {self.name}"
        if (found := refused_predicate(message, name, arguments, self.names)) is not None:
            raise found
        near = meant_name(name, self.names, arguments[name])
        if not near:
            raise InvalidArgumentError(message, hint=f"It has: {', '.join(self.names)}.")
        repair: dict[str, Any] | None = {k: v for k, v in arguments.items() if k in self.names}
        for other in [other for other in arguments if other not in self.names]:
            known = meant_name(other, self.names, arguments[other])
            value = self._meant(known, arguments[other]) if known else None
            if value is None or repair is None:
                # What is left out may be what was asked for.
                repair = None
            else:
                repair.setdefault(known, value)
        raise InvalidArgumentError(message, hint=f"Did you mean {near}?", repair=repair)

    def _takes(self, name: str, value: object) -> bool:
        required = {"bucket_name": ""} if "bucket_name" in self.names else {}
        try:
            self._model.model_validate({**required, name: _integral(value)})
        except ValidationError:
            return False
        return True

    def _meant(self, name: str, value: object) -> object:
        """Return a value as the parameter takes it; None if it is not told what it is meant as."""
        if self._takes(name, value):
            return value
        if value is None and name in self.defaults:
            return self.defaults[name]
        if name not in self.defaults or name in {*PLACES, "cursor", "delimiter"}:
            return None
        schema = self._model.model_json_schema()["properties"][name]
        default = self.defaults[name]
        likely = meant_values(value, default, schema.get("enum", ()))
        taken = next((one for one in likely if self._takes(name, one)), None)
        return default if taken is None and name in WITHOUT_HARM else taken

    def _invalid(self, exc: ValidationError, arguments: Mapping[str, Any]) -> InvalidArgumentError:
        problems = exc.errors(include_url=False, include_input=False, include_context=False)
        found = problems[0]
        name = str(found["loc"][0]) if found["loc"] else self.name
        if found["type"] == "missing":
            return self._missing(name, arguments)
        text = found["msg"][:1].lower() + found["msg"][1:]
        message = f"{name} is not valid: {text}"
        wrong = dict.fromkeys(str(problem["loc"][0]) for problem in problems if problem["loc"])
        repair = {name: self._meant(name, arguments[name]) for name in wrong}
        if name not in self.defaults:
            hint = f"Give {name} as its schema says."
        elif repair[name] in (None, self.defaults[name]):
            hint = f"Its default is {json.dumps(self.defaults[name])}."
        elif found["type"] == "literal_error":
            hint = f"Did you mean {json.dumps(repair[name])}?"
        else:
            hint = f"Write it as {_KINDS[type(repair[name])]}."
        if list(wrong) == ["filter_operator"] and (query := meant_condition(arguments)):
            hint = "In sql it is SELECT * FROM data WHERE …."
            repair |= query
        works = None not in repair.values() and self._has_place({**arguments, **repair})
        return InvalidArgumentError(message, hint=hint, repair=repair if works else None)

    def _missing(self, name: str, arguments: Mapping[str, Any]) -> InvalidArgumentError:
        message, hint = f"{name} is required", "Give a bucket; list_s3_buckets shows them."
        if repair := meant_place(arguments, self.place):
            return InvalidArgumentError(message, hint=hint, repair=repair)
        return InvalidArgumentError(message, hint=hint, repair={}, repair_tool="list_s3_buckets")

    def _has_place(self, arguments: Mapping[str, Any]) -> bool:
        """Whether arguments say what to read, so that a call with them can work."""
        given = map(arguments.get, ("object_key", "cursor", "sql"))
        if self.place != "object_key" or any(given):
            return True
        try:
            place = split_uri(arguments["bucket_name"])
        except InvalidArgumentError:
            return False
        return bool(place and place[1])

    def given(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values that are not defaults."""
        return {
            name: value
            for name, value in values.items()
            if name not in self.defaults or value != self.defaults[name]
        }

    def resolve(self, values: dict[str, Any], call: Call) -> dict[str, Any]:
        """Return the values to run with: URI split, cursor read, page size under the ceiling.

        Raises:
            InvalidArgumentError: If a URI, key or cursor contradict each other.
        """
        resolved = self._split_place(values)
        if text := resolved.get("cursor"):
            call.cursor = cursors.decode(text)
            resolved = self._continue(resolved, call.cursor)
        call.arguments = {
            name: value for name, value in self.given(resolved).items() if name not in _FREE
        }
        ceiling = call.lake.settings.max_rows
        for name in PAGE_SIZES & resolved.keys():
            if resolved[name] > ceiling:
                call.notices.append(
                    f"{name} was lowered from {resolved[name]:,} to the server's {ceiling:,}."
                )
                resolved[name] = ceiling
        return resolved

    def repaired(
        self, arguments: Mapping[str, Any], repair: Mapping[str, object]
    ) -> dict[str, object]:
        """Return the arguments of the call that would work: known ones, the repair over them."""
        known = {name: value for name, value in arguments.items() if name in self.names}
        fix = dict(repair)
        if self.place and self.place not in fix:
            for other in PLACES:
                if other in fix:
                    fix[self.place] = fix.pop(other)
        bucket = known.get("bucket_name")
        if isinstance(bucket, str) and fix.keys() & {"bucket_name", self.place}:
            with contextlib.suppress(InvalidArgumentError):
                if place := split_uri(bucket):
                    known |= {"bucket_name": place[0]}
                    known |= {self.place: place[1]} if place[1] else {}
        return {**known, **fix}

    def mended(
        self, arguments: Mapping[str, Any], repair: Mapping[str, object], call: Call
    ) -> dict[str, object] | None:
        """Return the repaired arguments with what else is wrong in them mended, if that can be."""
        for _ in self.names:
            whole = self.repaired(arguments, repair)
            try:
                self.resolve(
                    self.validate(whole), Call(lake=call.lake, tool=call.tool, meter=call.meter)
                )
            except InvalidArgumentError as exc:
                if exc.repair is None or exc.repair_tool:
                    return None
                repair = {**repair, **exc.repair}
            else:
                return whole
        return None

    def first_call(self, state: cursors.Cursor) -> dict[str, object]:
        """Return the arguments of the call that a cursor goes on with."""
        base: dict[str, object] = {"bucket_name": state.bucket} if self.place else {}
        place = {self.place: state.key} if self.place and state.key else {}
        kept = {name: value for name, value in state.arguments.items() if name in self.names}
        return {**base, **place, **kept}

    def _split_place(self, values: dict[str, Any]) -> dict[str, Any]:
        if values.get("bucket_name") == "":
            raise InvalidArgumentError(
                "bucket_name is empty",
                hint="Give a bucket; list_s3_buckets shows them.",
                repair={},
                repair_tool="list_s3_buckets",
            )
        place = split_uri(values.get("bucket_name", ""))
        if place is None:
            if self.place and (repair := meant_bucket(values, self.place)):
                message = f"{visible(values['bucket_name'])!r} is not a bucket's name"
                hint = "Give the bucket alone, in lower case, without _; a key goes beside it."
                raise InvalidArgumentError(message, hint=hint, repair=repair)
            return values
        bucket, key = place
        given = values[self.place]
        if given and key and given != key:
            message = f"{self.place} contradicts the URI in bucket_name"
            raise InvalidArgumentError(
                message,
                hint="Give the key once.",
                repair={"bucket_name": bucket, self.place: joined(key, given)},
            )
        return {**values, "bucket_name": bucket, self.place: given or key}

    def _continue(self, values: dict[str, Any], state: cursors.Cursor) -> dict[str, Any]:
        if state.tool != self.name:
            message = f"cursor belongs to {state.tool}, not to {self.name}"
            raise InvalidArgumentError(message, hint=f"Call {state.tool} with it.")
        resolved = dict(values)
        if "bucket_name" in values:
            self._agree("bucket_name", values["bucket_name"], state.bucket)
        if self.place:
            if values[self.place]:
                self._agree(self.place, values[self.place], state.key)
            resolved[self.place] = state.key
        for name, value in self.given(values).items():
            if name not in _FREE:
                self._agree(name, value, state.arguments.get(name, self.defaults.get(name)))
        base = {"bucket_name": state.bucket} if "bucket_name" in values else {}
        stored = {
            name: value
            for name, value in state.arguments.items()
            if name in self.defaults and name not in _FREE
        }
        free = {name: value for name, value in resolved.items() if name in _FREE}
        return {**self.validate({**base, **stored}), **free}

    def _agree(self, name: str, value: object, stored: object) -> None:
        if value != stored:
            message = f"{name} contradicts the cursor"
            raise InvalidArgumentError(
                message,
                hint="With a cursor, only bucket_name and the page size need be given; leave it "
                "out for other arguments.",
            )


def _integral(value: object) -> object:
    """Read `100.0` as the integer that JSON Schema says it is, and make text encodable."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, list):
        return [scrub(item) if isinstance(item, str) else item for item in value]
    return value
