"""Recipes as JSON. Not MessagePack: a seed may exceed its 64 bits."""

import json
from dataclasses import asdict, fields, replace
from typing import Any

from mysticanvas.domain.generation import InputImage, InputRole, LoraUse, ParentRelation, Recipe
from mysticanvas.domain.model import ModelKind, ModelUse

_PARTS = ("loras", "models", "inputs")


def dump(recipe: Recipe) -> bytes:
    values = {field.name: getattr(recipe, field.name) for field in fields(recipe)}
    for name in _PARTS:
        values[name] = [asdict(one) for one in values[name]]
    return json.dumps(values).encode()


def load(content: bytes) -> Recipe:
    values: dict[str, Any] = json.loads(content)
    loras = tuple(LoraUse(**lora) for lora in values.pop("loras"))
    models = tuple(ModelUse(**(use | {"role": ModelKind(use["role"])})) for use in values.pop("models"))
    inputs = tuple(InputImage(**(one | {"role": InputRole(one["role"])})) for one in values.pop("inputs"))
    relation = values.pop("parent_relation")
    problems = tuple(values.pop("problems"))
    return replace(
        Recipe(**values),
        loras=loras,
        models=models,
        inputs=inputs,
        problems=problems,
        parent_relation=ParentRelation(relation) if relation else None,
    )
