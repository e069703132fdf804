"""Generates the demo folder, as if several generators had been used for 18 months."""

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
from mysticanvas.demo.write_metadata import add_jpeg_comment, add_png_texts, add_webp_comment

LAST_DAY = datetime(2026, 8, 22, tzinfo=UTC)
DAYS = 540
IMAGES_PER_BURST = 9
SIZES_PX = ((384, 560), (560, 384), (448, 448), (384, 672), (672, 384), (512, 512), (400, 600), (600, 400))
# Share of ComfyUI images that are derived from one of the last few before them.
DERIVED_SHARE = 0.6
MAX_SOURCES = 4
UPSCALE_FACTOR = 1.5
GENERATORS = ("a1111", "forge", "comfyui", "invokeai", "mysticanvas")


@dataclass(frozen=True, slots=True)
class PlannedImage:
    """One planned image; `path` is relative to the demo folder."""

    path: Path
    generator: str
    scene: Scene
    colors: Palette
    recipe: Recipe
    made_at: datetime


def make_demo(
    folder: Path, count: int = 240, seed: int = 2026, on_progress: Callable[[int], None] | None = None
) -> list[Path]:
    """Create the demo images and return their paths, oldest first.

    The same arguments give the same files. Existing files are kept, so an interrupted run can be continued.
    `on_progress` receives the number of finished images.
    """
    pictures = list(plan_images(count, seed))
    paths = [folder / picture.path for picture in pictures]
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as painters:
        for done, _ in enumerate(painters.map(_create_image, paths, pictures), start=1):
            if on_progress is not None:
                on_progress(done)
    return paths


def plan_images(count: int, seed: int) -> Iterator[PlannedImage]:
    """Plan `count` images, oldest first, in bursts of about nine, more of them in recent months."""
    random = np.random.default_rng(seed)
    bursts = max(1, round(count / IMAGES_PER_BURST))
    days_ago = (DAYS * random.random(bursts) ** 1.4).astype(int)
    starts_s = 3_600 * random.uniform(8, 21, bursts) - 86_400 * days_ago
    pauses_s = random.uniform(0, 5_400, count)
    moments_s = np.sort(starts_s[random.integers(0, bursts, count)] + pauses_s)
    sources: list[PlannedImage] = []
    enlarged: set[str] = set()
    for number, moment_s in enumerate(moments_s):
        picture = _plan_image(random, number, LAST_DAY + timedelta(seconds=int(moment_s)))
        if picture.generator == "comfyui":
            picture = _derive_image(np.random.default_rng([seed, number]), picture, sources, enlarged)
            # No images are derived from an upscaled image.
            sources = [*sources, *([] if picture.recipe.upscaler else [picture])][-MAX_SOURCES:]
        yield picture


def _derive_image(
    random: Random, picture: PlannedImage, sources: Sequence[PlannedImage], enlarged: set[str]
) -> PlannedImage:
    """The image itself, or an image derived from an earlier one: upscaled (once each), or in other colors."""
    if not sources or random.random() > DERIVED_SHARE:
        return picture
    source = sources[int(random.integers(len(sources)))]
    recipe = replace(source.recipe, source=source.path.name)
    if source.path.name not in enlarged and random.random() < 0.4:
        enlarged.add(source.path.name)
        recipe = replace(recipe, upscaler=str(random.choice(UPSCALERS)))
        return replace(source, path=picture.path, recipe=recipe, made_at=picture.made_at)
    others = [palette for palette in source.scene.palettes if palette != source.colors]
    colors = others[int(random.integers(len(others)))]
    recipe = replace(
        recipe,
        prompt=recipe.prompt.replace(source.colors.name, colors.name),
        checkpoint=picture.recipe.checkpoint,
        lora=picture.recipe.lora,
    )
    return replace(source, path=picture.path, colors=colors, recipe=recipe, made_at=picture.made_at)


def _plan_image(random: Random, number: int, made_at: datetime) -> PlannedImage:
    scene = SCENES[int(random.integers(len(SCENES)))]
    colors = scene.palettes[int(random.integers(len(scene.palettes)))]
    generator = str(random.choice(GENERATORS, p=(0.26, 0.2, 0.26, 0.16, 0.12)))
    recipe = _build_recipe(random, scene, colors, generator)
    path = _build_path(random, generator, number, recipe, made_at)
    return PlannedImage(path, generator, scene, colors, recipe, made_at)


def _build_recipe(random: Random, scene: Scene, colors: Palette, generator: str) -> Recipe:
    wording = str(random.choice(SUBJECTS[scene.name])).format(palette=colors.name)
    touches = [str(touch) for touch in random.choice(TOUCHES, int(random.integers(0, 4)), replace=False)]
    # Only Forge uses Flux, because the other programs write different metadata for it.
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


def _build_path(random: Random, generator: str, number: int, recipe: Recipe, made_at: datetime) -> Path:
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


def _create_image(path: Path, picture: PlannedImage) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if picture.generator == "mysticanvas":
        generation_time_ms = 1_800 + picture.recipe.seed % 9_000
        text = recipes.format_sidecar(picture.recipe, generation_time_ms=generation_time_ms)
        _write(path.with_suffix(".json"), text.encode(), picture.made_at)
    _write(path, encode_image(picture, path.suffix), picture.made_at)


def _write(path: Path, content: bytes, made_at: datetime) -> None:
    """Write a file atomically, with `made_at` as its modification time."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(content)
    os.utime(unfinished, (made_at.timestamp(), made_at.timestamp()))
    unfinished.replace(path)


def encode_image(picture: PlannedImage, suffix: str) -> bytes:
    """The encoded image with its metadata; `suffix` is .png, .jpg or .webp."""
    recipe = picture.recipe
    pixels = paint(picture.scene, picture.colors, recipe.seed, recipe.width, recipe.height)
    image = pyvips.Image.new_from_array(pixels, interpretation="srgb")
    if recipe.upscaler:
        image = image.resize(UPSCALE_FACTOR)
    match suffix:
        case ".png":
            return add_png_texts(bytes(image.pngsave_buffer(compression=5, keep="none")), _build_png_texts(picture))
        case ".jpg":
            return add_jpeg_comment(bytes(image.jpegsave_buffer(Q=90, keep="none")), recipes.format_a1111(recipe))
        case _:
            webp = bytes(image.webpsave_buffer(Q=88, effort=2, keep="none"))
            if picture.generator == "mysticanvas":
                return webp
            return add_webp_comment(webp, recipes.format_forge(recipe), recipe.width, recipe.height)


def _build_png_texts(picture: PlannedImage) -> dict[str, str]:
    match picture.generator:
        case "comfyui":
            return recipes.build_comfyui_texts(picture.recipe)
        case "invokeai":
            return {"invokeai_metadata": recipes.format_invokeai(picture.recipe)}
        case "forge":
            return {"parameters": recipes.format_forge(picture.recipe)}
        case _:
            return {"parameters": recipes.format_a1111(picture.recipe)}
