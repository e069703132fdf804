"""DiffusionBee: an entry of its history, exported beside an image.

Source: the application's source code. It writes no metadata into images.
"""

from typing import Any

from mysticanvas.domain.generation import InputImage, InputRole, ParentRelation, Recipe
from mysticanvas.formats.json_text import FieldReader, to_name


def parse(object_: dict[str, Any]) -> Recipe | None:
    """The recipe; None when the object is not a DiffusionBee history entry."""
    if "dif_steps" not in object_ and not {"num_steps", "model_tdict_path"} & set(object_):
        return None
    fields = FieldReader(object_)
    source = to_name(object_.get("inp_img") or object_.get("input_img") or object_.get("input_image"))
    return Recipe(
        tool="DiffusionBee",
        prompt=fields.text("prompt"),
        negative_prompt=fields.text("negative_prompt", "neg_prompt"),
        seed=fields.integer("seed"),
        steps=fields.int32("dif_steps", "ddim_steps", "num_steps"),
        cfg_scale=fields.number("guidence_scale", "guidance_scale", "scale"),
        sampler=fields.name("sampler"),
        width=fields.int32("img_w", "img_width", "W"),
        height=fields.int32("img_h", "img_height", "H"),
        model=fields.name("model_id", "selected_model", "model_version"),
        parent=source,
        parent_relation=ParentRelation.IMG2IMG if source else None,
        inputs=(InputImage(InputRole.SOURCE, source),) if source else (),
        params=fields.rest,
    )
