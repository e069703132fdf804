"""Texts of any length that are made to cost much: one pattern each, as a generator's key would hold it."""

import json
from collections.abc import Callable

from mysticanvas.domain.file import ImageFormat, ImageHead, TextEntry
from mysticanvas.domain.generation import Recipe
from mysticanvas.domain.text import clean_text
from mysticanvas.formats.detect import read_recipe

Shape = Callable[[int], dict[str, str]]
FAULT = "The metadata could not be read. It is stored unchanged."


def read(texts: dict[str, str], *, file_name: str = "x_00001_.png", beside: dict[str, str] | None = None) -> Recipe:
    # As the readers of containers give them: clean.
    entries = tuple(TextEntry("tEXt", key, clean_text(text)) for key, text in texts.items())
    sidecars = [TextEntry("sidecar", key, text) for key, text in (beside or {}).items()]
    return read_recipe(ImageHead(ImageFormat.PNG, 64, 64, 1, True, entries), file_name=file_name, sidecars=sidecars)


def check_storable(recipe: Recipe) -> None:
    """Asserts what the columns of the database and JSON ask of a recipe."""
    assert FAULT not in recipe.problems
    json.dumps(recipe.params, allow_nan=False).encode()
    for said in (recipe.prompt, recipe.negative_prompt, recipe.model, recipe.sampler, recipe.scheduler, recipe.parent):
        assert said is None or said.encode().count(0) == 0
    for count in (recipe.steps, recipe.width, recipe.height, recipe.clip_skip):
        assert count is None or (isinstance(count, int) and abs(count) < 2**31)
    assert recipe.seed is None or len(str(recipe.seed)) <= 41
    assert all(isinstance(use.name, str) for use in recipe.loras)
    assert all(use.name or use.hash for use in recipe.models)
    assert all(image.name or image.hash for image in recipe.inputs)


def _repeated(key: str, begin: str, unit: str, end: str = "") -> Shape:
    return lambda size: {key: begin + unit * max(1, (size - len(begin) - len(end)) // len(unit)) + end}


def _graph_chain(size: int) -> dict[str, str]:
    """A text behind a chain of reroutes."""
    count = max(2, size // 60)
    graph = {str(n): {"class_type": "Reroute", "inputs": {"": [str(n + 1), 0]}} for n in range(10, 10 + count)}
    graph["1"] = {"class_type": "KSampler", "inputs": {"seed": ["10", 0], "steps": 20, "positive": ["2", 0]}}
    graph["2"] = {"class_type": "CLIPTextEncode", "inputs": {"text": ["10", 0]}}
    graph["3"] = {"class_type": "SaveImage", "inputs": {"images": ["1", 0]}}
    return {"prompt": json.dumps(graph)}


def _graph_of_samplers(size: int) -> dict[str, str]:
    """Every sampler follows every other."""
    count = max(2, size // 260)
    graph = {
        str(n): {
            "class_type": "KSampler",
            "inputs": {"seed": n, "steps": 2, "positive": [str(n), 0], "latent_image": [str((n + 1) % count), 0]},
        }
        for n in range(count)
    }
    graph["save"] = {"class_type": "SaveImage", "inputs": {"images": ["0", 0]}}
    return {"prompt": json.dumps(graph)}


def _graph_of_savers(size: int) -> dict[str, str]:
    """Many outputs of one sampler behind one long chain."""
    count = max(2, size // 140)
    graph = {
        "1": {"class_type": "KSampler", "inputs": {"seed": 1, "steps": 2, "positive": ["2", 0]}},
        "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "x"}},
    }
    graph |= {f"c{n}": {"class_type": "VAEDecode", "inputs": {"samples": [f"c{n + 1}", 0]}} for n in range(count)}
    graph[f"c{count}"] = {"class_type": "VAEDecode", "inputs": {"samples": ["1", 0]}}
    graph |= {f"s{n}": {"class_type": "SaveImage", "inputs": {"images": ["c0", 0]}} for n in range(count)}
    return {"prompt": json.dumps(graph)}


def _graph_of_joins(size: int) -> dict[str, str]:
    """Joins of joins, each twice: doubling at each step, were they followed without end."""
    count = max(2, size // 110)
    graph = {
        f"j{n}": {
            "class_type": "StringConcatenate",
            "inputs": {"string_a": [f"j{n + 1}", 0], "string_b": [f"j{n + 1}", 0]},
        }
        for n in range(count)
    }
    graph |= {
        "1": {"class_type": "KSampler", "inputs": {"seed": 1, "steps": 2, "positive": ["2", 0]}},
        "2": {"class_type": "CLIPTextEncode", "inputs": {"text": ["j0", 0]}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["1", 0]}},
    }
    return {"prompt": json.dumps(graph)}


def _graph_of_loras(size: int) -> dict[str, str]:
    """A chain of loaders, each with a stack."""
    count = max(2, size // 150)
    graph = {
        f"l{n}": {
            "class_type": "LoraLoader",
            "inputs": {"lora_name": f"a{n}", "strength_model": 1, "model": [f"l{n + 1}", 0], "lora_stack": ["l0", 0]},
        }
        for n in range(count)
    }
    graph |= {
        "1": {"class_type": "KSampler", "inputs": {"seed": 1, "steps": 2, "positive": ["2", 0], "model": ["l0", 0]}},
        "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "x"}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["1", 0]}},
    }
    return {"prompt": json.dumps(graph)}


def _workflow(size: int) -> dict[str, str]:
    count = max(2, size // 120)
    nodes = [
        {"id": n, "type": "GetNode" if n % 2 else "SetNode", "mode": 4 * (n % 3 == 0), "widgets_values": [str(n // 2)],
         "inputs": [{"name": "a", "type": "X", "link": n}], "outputs": [{"type": "X"}]}
        for n in range(count)
    ]  # fmt: skip
    links = [[n, n, 0, n + 1, 0, "X"] for n in range(count)]
    return {"workflow": json.dumps({"nodes": nodes, "links": links})}


def _subgraphs(size: int) -> dict[str, str]:
    """Many uses of one that has many nodes, none of which is there."""
    count = max(2, size // 70)
    inner = [{"id": n, "type": "x", "mode": 2} for n in range(count)]
    nodes = [{"id": n, "type": "s"} for n in range(count)]
    return {"workflow": json.dumps({"nodes": nodes, "definitions": {"subgraphs": [{"id": "s", "nodes": inner}]}})}


def _groups(size: int) -> dict[str, str]:
    """The same with group nodes, each of which uses the next."""
    count = max(2, size // 120)
    inner = [{"type": "workflow/b", "widgets_values": [1, 2]} for _ in range(count)]
    links = [[n, 0, n + 1, 0] for n in range(count)]
    groups = {"a": {"nodes": inner, "links": links}, "b": {"nodes": [{"type": "x", "mode": 2}] * count}}
    nodes = [{"id": n, "type": "workflow/a"} for n in range(count // 4)]
    return {"workflow": json.dumps({"nodes": nodes, "extra": {"groupNodes": groups}})}


SHAPES: dict[str, Shape] = {
    "infotext settings": _repeated("parameters", "x\nSteps: 20, ", "a: b, ", "Seed: 1"),
    "infotext quotes": _repeated("parameters", 'x\nSteps: 20, A: "', '\\"'),
    "infotext open quotes": _repeated("parameters", "x\nSteps: 20", ', A: "x'),
    "infotext brackets": _repeated("parameters", "x\nSteps: 20, A: ", "["),
    "infotext bracketed keys": _repeated("parameters", "x\nSteps: 20", ', A: ["\\"'),
    "infotext lines": _repeated("parameters", "", "Steps: 1\n"),
    "infotext commas": _repeated("parameters", "x\nSteps: 20", ", "),
    "infotext blanks": _repeated("parameters", "x\nSteps: 20,", " "),
    "infotext colons": _repeated("parameters", "x\nSteps: 20, ", ":"),
    "infotext loras": _repeated("parameters", "", "<lora:a:1>", "\nSteps: 20"),
    "infotext open loras": _repeated("parameters", "", "<lora:a", "\nSteps: 20"),
    "infotext negatives": _repeated("parameters", "", "\nNegative prompt: a", "\nSteps: 20"),
    "infotext hashes": _repeated("parameters", 'x\nSteps: 20, Lora hashes: "', "a: b, ", '"'),
    "infotext controlnets": _repeated("parameters", "x\nSteps: 20", ', ControlNet 0: "Model: a [abcdef12]"'),
    "parens": _repeated("parameters", "", "(", "\nSteps: 20, Seed: 1"),
    "no settings": _repeated("parameters", "", "word, "),
    "label lines": _repeated("parameters", "", "Seed: 1\n"),
    "equals": _repeated("parameters", "", "a ", "="),
    "json depth": _repeated("parameters", '{"a":', "["),
    "json objects": _repeated("parameters", "", '{"a":'),
    "json keys": lambda size: {"parameters": json.dumps({f"k{n}": n for n in range(size // 12)})},
    "json digits": _repeated("prompt", '{"1":{"class_type":"KSampler","inputs":{"seed":', "9", "}}}"),
    "koboldcpp": _repeated("parameters", "Prompt: ", "| Steps: ", "| Version: KoboldCpp"),
    "mochi": _repeated("ImageDescription", "", "; Steps: 1", "; Generator: Mochi Diffusion 5"),
    "midjourney": _repeated("Description", "", " --a b", " Job ID: 996de4a8-647f-4a65-8b03-a65cdfdbf22f"),
    "midjourney blanks": _repeated("Description", "x", " ", "Job ID: 996de4a8"),
    "midjourney links": _repeated("Description", "", "https://a ", " Job ID: 996de4a8-647f-4a65-8b03-a65cdfdbf22f"),
    "dream flags": _repeated("Dream", "x", " -s 1"),
    "dream quotes": _repeated("Dream", "x", ' -A "'),
    "dream brackets": _repeated("Dream", "", "[a"),
    "dream dashes": _repeated("Dream", "x ", "-"),
    "novelai": _repeated("Comment", '{"uc":"', "a", '","steps":1,"sampler":"k","seed":1}'),
    "easy diffusion": _repeated("parameters", "Prompt: x\nStable Diffusion model: y\n", "Seed: 1\n"),
    "xmp openers": _repeated("XMP", "", "<exif:UserComment>"),
    "xmp attributes": _repeated("XMP", "", "exif:UserComment "),
    "xmp brackets": _repeated("XMP", "<dc:description>", "<", "</dc:description>"),
    "xmp entities": _repeated("XMP", "<dc:description>", "&amp;", "</dc:description>"),
    "swarm grid": _repeated("parameters", 'all_metadata["', "a"),
    "graph chain": _graph_chain,
    "graph of samplers": _graph_of_samplers,
    "graph of savers": _graph_of_savers,
    "graph of joins": _graph_of_joins,
    "graph of LoRAs": _graph_of_loras,
    "editor's graph": _workflow,
    "subgraphs": _subgraphs,
    "group nodes": _groups,
}  # fmt: skip
