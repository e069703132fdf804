"""Prompts for each scene, and the models that the demo uses."""

from typing import NamedTuple

SUBJECTS: dict[str, tuple[str, ...]] = {
    "mountains": (
        "{palette} mountain range at sunrise, layers of mist in the valleys, pine forest in the foreground",
        "a quiet alpine lake under a {palette} sky, jagged peaks, soft haze, matte painting",
        "distant ridges fading into {palette} fog, low sun, minimalist landscape",
    ),
    "dunes": (
        "endless desert dunes under a {palette} sky, low sun, wind-drawn ripples in the sand",
        "a lonely desert at dusk, {palette} light, long soft shadows, cinematic wide shot",
    ),
    "moonlit sea": (
        "an enormous full moon over a calm sea, {palette} night, reflections on the water",
        "moonrise behind small islands, {palette} tones, glittering path of light, long exposure",
    ),
    "aurora": (
        "{palette} aurora borealis above a fir forest, star-filled arctic night",
        "curtains of northern lights in {palette}, silhouettes of hills and firs, crisp winter air",
    ),
    "misty forest": (
        "a pine forest in drifting {palette} mist, sun behind the fog, depth upon depth",
        "foggy fir trees at daybreak, {palette} haze, volumetric light, serene",
    ),
    "skyline": (
        "city skyline by the water at dusk, {palette} sky, thousands of lit windows, reflections",
        "retro-futuristic metropolis, huge sun behind skyscrapers, {palette} haze, synthwave",
    ),
    "storm over the sea": (
        "a {palette} storm over the sea, lightning, a lone lighthouse on a cliff",
        "lighthouse beam cutting through a {palette} thunderstorm, dramatic clouds, raging night",
    ),
    "nebula": (
        "a {palette} nebula, filaments of glowing gas, dark dust lanes, newborn stars, astrophotography",
        "deep space, billowing {palette} clouds of stardust, long exposure, intricate detail",
    ),
    "spiral galaxy": (
        "spiral galaxy seen from above, {palette} arms, brilliant core, field of stars",
        "a vast {palette} galaxy turning in the dark, telescope photograph, sharp focus",
    ),
    "ringed planet": (
        "a ringed gas giant with {palette} cloud belts, distant sun, cinematic space art",
        "{palette} planet with delicate rings, terminator line, quiet starfield, concept art",
    ),
    "silk": (
        "flowing {palette} silk, liquid folds, abstract macro photograph",
        "abstract marbled ink in {palette}, swirling currents, glossy highlights",
    ),
    "stained glass": (
        "stained glass window in {palette}, irregular panes, light shining through",
        "abstract mosaic of {palette} glass, dark leading, glowing center",
    ),
    "low poly": (
        "low poly abstract background, {palette} gradient, crisp triangular facets",
        "crystalline geometry, {palette} facets catching the light, vector art",
    ),
    "bokeh": (
        "{palette} bokeh, city lights out of focus, dreamy night photograph",
        "soft glowing orbs in {palette}, shallow depth of field, festive mood",
    ),
    "mandala": (
        "an intricate {palette} mandala, layered petals, sacred geometry, symmetrical",
        "glowing lotus mandala in {palette}, fine linework, dark background",
    ),
    "bauhaus": (
        "bauhaus poster, circles, arcs and stripes in {palette}, screen print on paper",
        "mid-century geometric pattern, {palette} palette, textured paper, flat design",
    ),
    "blossoms": (
        "branches of cherry blossom before a large pale sun, {palette} sky, japanese woodblock print",
        "plum blossoms in spring, {palette} evening, sumi-e inspired, delicate petals",
    ),
}

TOUCHES = (
    "highly detailed",
    "soft light",
    "8k wallpaper",
    "(masterpiece:1.2)",
    "best quality",
    "trending composition",
    "film grain",
    "muted tones",
    "(volumetric light:1.1)",
    "award-winning photograph",
)

NEGATIVES = (
    "blurry, low quality, watermark, text",
    "lowres, jpeg artifacts, signature, (worst quality:1.4)",
    "people, frame, border, oversaturated",
    "",
)


class Checkpoint(NamedTuple):
    """`short_hash` is AutoV2: the first ten digits of the file's SHA-256."""

    name: str
    short_hash: str
    family: str


CHECKPOINTS = (
    Checkpoint("dreamshaper_8", "879db523c3", "sd-1"),
    Checkpoint("v1-5-pruned-emaonly", "6ce0161689", "sd-1"),
    Checkpoint("juggernautXL_v9", "c9e3e68f89", "sdxl"),
    Checkpoint("sd_xl_base_1.0", "31e35c80fc", "sdxl"),
    Checkpoint("flux1-dev-fp8", "8e91b68084", "flux"),
)

LORAS = (
    ("film_grain", "4f2c7d19b0a3"),
    ("add_detail", "7c6bad76eb54"),
    ("misty_mornings", "a90be1f37c52"),
    ("neon_nights", "0d3e5b8f6a71"),
)

UPSCALERS = ("4x-UltraSharp", "RealESRGAN_x4plus")
