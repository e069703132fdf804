"""Makes the demo: a folder as several generators would have left it after a year and a half."""

import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyvips

from mysticanvas.demo import recipes
from mysticanvas.demo.brushes import Palette, Random
from mysticanvas.demo.pictures import SCENES, Scene, paint
from mysticanvas.demo.recipes import Recipe
from mysticanvas.demo.subjects import CHECKPOINTS, LORAS, NEGATIVES, SUBJECTS, TOUCHES, UPSCALERS
from mysticanvas.demo.write_metadata import with_jpeg_comment, with_png_texts, with_webp_comment

LAST_DAY = datetime(2026, 8, 22, tzinfo=UTC)
DAYS = 540
PICTURES_A_BURST = 9
SIZES_PX = ((384, 560), (560, 384), (448, 448), (384, 672), (672, 384), (512, 512), (400, 600), (600, 400))
# How many of ComfyUI's pictures were made from one of the last few before them.
DERIVED_SHARE = 0.6
SOURCES_IN_REACH = 4
ENLARGED = 1.5
GENERATORS = ("a1111", "forge", "comfyui", "invokeai", "mysticanvas")


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of the plan; `path` is relative to the demo's folder."""

    path: Path
    generator: str
    scene: Scene
    colours: Palette
    recipe: Recipe
    made_at: datetime


def make_demo(
    folder: Path, count: int = 240, seed: int = 2026, on_progress: Callable[[int], None] | None = None
) -> list[Path]:
    """The images, oldest first. The same arguments make the same files; those there already are left
    alone, so a demo broken off goes on. `on_progress` hears how many are done."""
    pictures = list(plan(count, seed))
    paths = [folder / picture.path for picture in pictures]
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as painters:
        for done, _ in enumerate(painters.map(_make, paths, pictures), start=1):
            if on_progress is not None:
                on_progress(done)
    return paths


def plan(count: int, seed: int) -> Iterator[Picture]:
    """`count` pictures, oldest first: bursts of about nine, most of them in the later months."""
    random = np.random.default_rng(seed)
    bursts = max(1, round(count / PICTURES_A_BURST))
    days_ago = (DAYS * random.random(bursts) ** 1.4).astype(int)
    starts_s = 3_600 * random.uniform(8, 21, bursts) - 86_400 * days_ago
    pauses_s = random.uniform(0, 5_400, count)
    moments_s = np.sort(starts_s[random.integers(0, bursts, count)] + pauses_s)
    sources: list[Picture] = []
    enlarged: set[str] = set()
    for number, moment_s in enumerate(moments_s):
        picture = _picture(random, number, LAST_DAY + timedelta(seconds=int(moment_s)))
        if picture.generator == "comfyui":
            picture = _derived(np.random.default_rng([seed, number]), picture, sources, enlarged)
            # What was only enlarged is the end of its line.
            sources = [*sources, *([] if picture.recipe.upscaler else [picture])][-SOURCES_IN_REACH:]
        yield picture


def _derived(random: Random, picture: Picture, sources: Sequence[Picture], enlarged: set[str]) -> Picture:
    """The picture, or instead of it one made from an earlier: enlarged (once), or again in other colours."""
    if not sources or random.random() > DERIVED_SHARE:
        return picture
    source = sources[int(random.integers(len(sources)))]
    recipe = replace(source.recipe, source=source.path.name)
    if source.path.name not in enlarged and random.random() < 0.4:
        enlarged.add(source.path.name)
        recipe = replace(recipe, upscaler=str(random.choice(UPSCALERS)))
        return replace(source, path=picture.path, recipe=recipe, made_at=picture.made_at)
    others = [palette for palette in source.scene.palettes if palette != source.colours]
    colours = others[int(random.integers(len(others)))]
    recipe = replace(
        recipe,
        prompt=recipe.prompt.replace(source.colours.name, colours.name),
        checkpoint=picture.recipe.checkpoint,
        lora=picture.recipe.lora,
    )
    return replace(source, path=picture.path, colours=colours, recipe=recipe, made_at=picture.made_at)


def _picture(random: Random, number: int, made_at: datetime) -> Picture:
    scene = SCENES[int(random.integers(len(SCENES)))]
    colours = scene.palettes[int(random.integers(len(scene.palettes)))]
    generator = str(random.choice(GENERATORS, p=(0.26, 0.2, 0.26, 0.16, 0.12)))
    recipe = _recipe(random, scene, colours, generator)
    path = _path(random, generator, number, recipe, made_at)
    return Picture(path, generator, scene, colours, recipe, made_at)


def _recipe(random: Random, scene: Scene, colours: Palette, generator: str) -> Recipe:
    wording = str(random.choice(SUBJECTS[scene.name])).format(palette=colours.name)
    touches = [str(touch) for touch in random.choice(TOUCHES, int(random.integers(0, 4)), replace=False)]
    # Only Forge runs Flux here: the other graphs would look different for it.
    checkpoints = CHECKPOINTS if generator == "forge" else CHECKPOINTS[:-1]
    lora = LORAS[int(random.integers(len(LORAS)))] if random.random() < 0.4 else None
    weight = float(random.choice([0.4, 0.6, 0.75, 0.8, 1.0]))
    width, height = SIZES_PX[int(random.integers(len(SIZES_PX)))]
    return Recipe(
        prompt=", ".join([wording, *touches]),
        negative_prompt=str(random.choice(NEGATIVES)),
        seed=int(random.integers(1, 2**32)),
        steps=int(random.choice([20, 25, 28, 30, 40])),
        cfg_scale=float(random.choice([4.5, 5, 6, 7, 7.5])),
        sampler=str(random.choice(["DPM++ 2M", "Euler a", "DPM++ SDE"])),
        scheduler="Karras",
        width=width,
        height=height,
        checkpoint=checkpoints[int(random.integers(len(checkpoints)))],
        lora=(*lora, weight) if lora and generator != "mysticanvas" else None,
    )


def _path(random: Random, generator: str, number: int, recipe: Recipe, made_at: datetime) -> Path:
    day = f"{made_at:%Y-%m-%d}"
    match generator:
        case "a1111":
            suffix = "jpg" if random.random() < 0.3 else "png"
            return Path("stable-diffusion-webui", "txt2img-images", day, f"{number:05}-{recipe.seed}.{suffix}")
        case "forge":
            suffix = "webp" if random.random() < 0.4 else "png"
            return Path("forge", "txt2img-images", day, f"{number:05}-{recipe.seed}.{suffix}")
        case "comfyui":
            return Path("ComfyUI", "output", f"ComfyUI_{number:05}_.png")
        case "invokeai":
            name = uuid.UUID(bytes=random.bytes(16), version=4)
            return Path("invokeai", "outputs", "images", f"{name}.png")
        case _:
            return Path("mysticanvas", f"{made_at:%Y-%m}", f"{made_at:%Y%m%d-%H%M%S}-{number:05}.webp")


def _make(path: Path, picture: Picture) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if picture.generator == "mysticanvas":
        generation_time_ms = 1_800 + picture.recipe.seed % 9_000
        text = recipes.sidecar(picture.recipe, generation_time_ms=generation_time_ms)
        _write(path.with_suffix(".json"), text.encode(), picture.made_at)
    _write(path, image_file(picture, path.suffix), picture.made_at)


def _write(path: Path, content: bytes, made_at: datetime) -> None:
    """Complete or not at all, and as old as it claims to be."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(content)
    os.utime(unfinished, (made_at.timestamp(), made_at.timestamp()))
    unfinished.replace(path)


def image_file(picture: Picture, suffix: str) -> bytes:
    """The painted file with its metadata; `suffix` is .png, .jpg or .webp."""
    recipe = picture.recipe
    pixels = paint(picture.scene, picture.colours, recipe.seed, recipe.width, recipe.height)
    image = pyvips.Image.new_from_array(pixels, interpretation="srgb")
    if recipe.upscaler:
        image = image.resize(ENLARGED)
    match suffix:
        case ".png":
            return with_png_texts(bytes(image.pngsave_buffer(compression=5, keep="none")), _png_texts(picture))
        case ".jpg":
            return with_jpeg_comment(bytes(image.jpegsave_buffer(Q=90, keep="none")), recipes.a1111(recipe))
        case _:
            webp = bytes(image.webpsave_buffer(Q=88, effort=2, keep="none"))
            if picture.generator == "mysticanvas":
                return webp
            return with_webp_comment(webp, recipes.forge(recipe), recipe.width, recipe.height)


def _png_texts(picture: Picture) -> dict[str, str]:
    match picture.generator:
        case "comfyui":
            return recipes.comfyui(picture.recipe)
        case "invokeai":
            return {"invokeai_metadata": recipes.invokeai(picture.recipe)}
        case "forge":
            return {"parameters": recipes.forge(picture.recipe)}
        case _:
            return {"parameters": recipes.a1111(picture.recipe)}
