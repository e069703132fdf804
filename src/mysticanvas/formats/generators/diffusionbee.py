"""DiffusionBee: an entry of its history, as it may have been exported beside an image.

Source: its application; it writes nothing into images.
"""

from typing import Any

from mysticanvas.domain.generation import InputImage, InputRole, ParentRelation, Recipe
from mysticanvas.formats.json_text import Said, name_of


def parse(object_: dict[str, Any]) -> Recipe | None:
    """The app keeps its history for itself; an entry of it may have been exported beside an image."""
    if "dif_steps" not in object_ and not {"num_steps", "model_tdict_path"} & set(object_):
        return None
    said = Said(object_)
    source = name_of(object_.get("inp_img") or object_.get("input_img") or object_.get("input_image"))
    return Recipe(
        tool="DiffusionBee",
        prompt=said.text("prompt"),
        negative_prompt=said.text("negative_prompt", "neg_prompt"),
        seed=said.integer("seed"),
        steps=said.small("dif_steps", "ddim_steps", "num_steps"),
        cfg_scale=said.number("guidence_scale", "guidance_scale", "scale"),
        sampler=said.name("sampler"),
        width=said.small("img_w", "img_width", "W"),
        height=said.small("img_h", "img_height", "H"),
        model=said.name("model_id", "selected_model", "model_version"),
        parent=source,
        parent_relation=ParentRelation.IMG2IMG if source else None,
        inputs=(InputImage(InputRole.SOURCE, source),) if source else (),
        params=said.rest,
    )
