"""Renders a CloudFormation template: what its functions come to for given parameters."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

ACCOUNT = "1234" * 3
REGION = "us-east-1"
FOLDER = Path(__file__).parents[2] / "deploy" / "cloudformation"
NEEDED = {
    "Environment": "production",
    "RuntimeName": "s3_data_lake_mcp_production",
    "ImageUri": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/s3-data-lake-mcp-production:1",
    "BucketArns": "arn:aws:s3:::my-lake",
    "ObjectArns": "arn:aws:s3:::my-lake/*",
}
"""The parameters of runtime.yaml that have no default."""
_NO_VALUE = object()
_PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::NoValue": _NO_VALUE,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": "stack",
}


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Equals": lambda one, other: one == other,
    "Not": lambda held: not held,
    "Join": lambda separator, items: separator.join(items),
    "Split": lambda separator, text: text.split(separator),
    "Select": lambda index, items: items[int(index)],
}


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> object:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    if isinstance(node, yaml.MappingNode):
        return {name: loader.construct_mapping(node, deep=True)}
    return {name: node.value}


_Loader.add_multi_constructor("!", _short_form)


class Template:
    """A template with values for its parameters; those not given have their defaults.

    References to resources and their attributes become `<Resource.Attribute>`.
    """

    def __init__(self, path: Path, **parameters: str) -> None:
        self._body: dict[str, Any] = yaml.load(path.read_text(), _Loader)  # noqa: S506 - a SafeLoader
        self.parameters: dict[str, object] = {}
        for name, declared in self._body["Parameters"].items():
            text = str(parameters.pop(name, declared.get("Default", "")))
            is_list = declared["Type"].startswith(("CommaDelimitedList", "List<"))
            self.parameters[name] = text.split(",") if is_list else text
        assert not parameters, f"no such parameters: {parameters}"

    def refused(self, name: str, text: str) -> list[str]:
        """Return the values of a parameter, or of its list, that its pattern does not admit."""
        declared = self._body["Parameters"][name]
        items = text.split(",") if declared["Type"] == "CommaDelimitedList" else [text]
        pattern = declared.get("AllowedPattern", ".*")
        return [item for item in items if not re.fullmatch(pattern, item.strip())]

    def resources(self) -> dict[str, dict[str, Any]]:
        """Return the resources whose conditions hold, rendered."""
        return {
            name: self._value(body)
            for name, body in self._body["Resources"].items()
            if "Condition" not in body or self._condition(body["Condition"])
        }

    def properties(self, name: str) -> dict[str, Any]:
        """Return a resource's properties."""
        return self.resources()[name]["Properties"]  # type: ignore[no-any-return] # rendered YAML

    def _condition(self, name: str) -> bool:
        return bool(self._value(self._body["Conditions"][name]))

    def _value(self, value: Any) -> Any:
        if isinstance(value, list):
            items = (self._value(item) for item in value)
            return [item for item in items if item is not _NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(name, argument)] = value.items()
            if name == "Ref":
                return self._reference(argument)
            if name.startswith("Fn::"):
                return self._function(name.removeprefix("Fn::"), argument)
        rendered = {name: self._value(item) for name, item in value.items()}
        return {name: item for name, item in rendered.items() if item is not _NO_VALUE}

    def _reference(self, name: str) -> object:
        known: Mapping[str, object] = {**_PSEUDO, **self.parameters}
        return known.get(name, f"<{name}>")

    def _function(self, name: str, argument: Any) -> Any:
        if name == "Sub":
            return self._substitute(argument)
        if name == "GetAtt":
            return f"<{argument}>"
        if name == "If":
            condition, yes, no = argument
            return self._value(yes if self._condition(condition) else no)
        return _FUNCTIONS[name](*self._value(argument))

    def _substitute(self, argument: Any) -> str:
        text, own = argument if isinstance(argument, list) else (argument, {})
        values = {name: self._value(value) for name, value in own.items()}

        def replaced(found: re.Match[str]) -> str:
            name = found[1]
            return str(values[name] if name in values else self._reference(name))

        return re.sub(r"\$\{([\w:.]+)\}", replaced, text)
