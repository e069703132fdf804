"""Colors and sizes of decoded images: 8-bit sRGB, as browsers show them."""

import pyvips

_PROFILE = "icc-profile-data"
_CMYK = "cmyk"


def scale(image: pyvips.Image, size_px: tuple[int, int]) -> pyvips.Image:
    """The image reduced to this size. Transparent pixels do not color their neighbors."""
    if size_px == (image.width, image.height):
        return image
    x_scale, y_scale = size_px[0] / image.width, size_px[1] / image.height
    if not has_alpha(image):
        return _resize(image, x_scale, y_scale, size_px)
    blended = _resize(image.premultiply(), x_scale, y_scale, size_px)
    return blended.unpremultiply().cast(image.format)


def _resize(image: pyvips.Image, x_scale: float, y_scale: float, size_px: tuple[int, int]) -> pyvips.Image:
    resized = image.resize(x_scale, vscale=y_scale)
    if (resized.width, resized.height) == size_px:
        return resized
    # The sizes of resize are rounded.
    return resized.embed(0, 0, *size_px, extend="copy")


def convert_to_srgb(image: pyvips.Image) -> pyvips.Image:
    """An image in memory as 8-bit sRGB, by its ICC profile. A broken profile is ignored, as browsers do."""
    if image.get_typeof(_PROFILE):
        try:
            return _make_8_bit(image.icc_transform("srgb", embedded=True, intent="relative", depth=8).copy_memory())
        except pyvips.Error:
            image = image.copy()
            image.remove(_PROFILE)
    return _make_8_bit(_convert_cmyk(image) if image.interpretation == _CMYK else image)


def has_alpha(image: pyvips.Image) -> bool:
    return image.interpretation != _CMYK and bool(image.hasalpha())


def _make_8_bit(image: pyvips.Image) -> pyvips.Image:
    image = image if image.interpretation == "srgb" else image.colourspace("srgb")
    return image if image.format == "uchar" else image.cast("uchar")


def _convert_cmyk(image: pyvips.Image) -> pyvips.Image:
    """CMYK without a profile: ink absorbs light, as browsers calculate it."""
    ink = image[:3]
    rgb = (255 - ink) * (255 - image[3]) / 255
    return rgb.rint().cast("uchar").copy(interpretation="srgb")
