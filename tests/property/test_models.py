"""Headers of models: whatever the bytes, they are read within bounds or refused with a reason."""

import hashlib
import itertools
import json
import random
import struct
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.model_files import CHECKPOINT_FLUX, CHECKPOINT_SD1, EMBEDDING_SDXL, LORA_SD1, LORA_SDXL, VAE, safetensors

from mysticanvas.db import checks as doctor_checks
from mysticanvas.db.database import Database, ReadTx, WriteTx
from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.domain.file import FileStat
from mysticanvas.domain.model import ModelKind, ModelUse
from mysticanvas.features.models import file_queries, group_queries
from mysticanvas.features.models import queries as model_queries
from mysticanvas.features.models.file_queries import FoundModel
from mysticanvas.features.models.folders import detect_family, detect_kind
from mysticanvas.formats.model_header import identify_family, read_header_facts, read_sidecar_facts
from mysticanvas.formats.safetensors import MAX_HEADER_BYTES, read_header

WHOLE = safetensors(LORA_SDXL, {"ss_tag_frequency": json.dumps({"1_fox": {"fox": 10, "snow": 2}})})


class Bytes:
    def __init__(self, content: bytes, size: int | None = None) -> None:
        self._content = content
        self.size = len(content) if size is None else size

    def read(self, offset: int, length: int) -> bytes:
        return self._content[offset : offset + length]


def with_header(said: object) -> bytes:
    text = said if isinstance(said, bytes) else json.dumps(said).encode()
    return struct.pack("<Q", len(text)) + text


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "too short"),
        (struct.pack("<Q", MAX_HEADER_BYTES + 1) + b"{}", "exceeds the limit"),
        (struct.pack("<Q", 2**64 - 1), "exceeds the limit"),
        (struct.pack("<Q", 100) + b"{}", "its header is incomplete"),
        (with_header(b"[1, 2]"), "not a JSON object"),
        (with_header(b"{" + b'"a":{' * 5_000), "cannot be read"),
        (with_header(b'{"a": \xff}'), "not UTF-8 text"),
        (with_header(b'{"a"'), "cannot be read"),
        (with_header({"a": 1}), "invalid tensor"),
        (with_header({"a": {"shape": [1], "data_offsets": [0]}}), "invalid tensor"),
        (with_header({"a": {"shape": [-1], "data_offsets": [0, 0]}}), "invalid tensor"),
        (with_header({"a": {"shape": [1], "data_offsets": [4, 0]}}), "shorter than its header"),
        (with_header({"a": {"shape": [1], "data_offsets": [0, 1 << 62]}}), "shorter than its header"),
        (with_header({"a": {"shape": [10**400], "data_offsets": [0, 0]}}), "invalid tensor"),
        (with_header({"a": {"shape": [1] * 17, "data_offsets": [0, 0]}}), "invalid tensor"),
    ],
)
def test_a_hostile_header_is_refused_with_a_reason(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFileError, match=reason):
        read_header(Bytes(content))


@given(st.binary(max_size=300), st.integers(0, len(WHOLE)), st.booleans())
def test_any_bytes_are_a_header_or_refused(noise: bytes, at: int, cut: bool) -> None:
    content = WHOLE[:at] + noise + (b"" if cut else WHOLE[at + len(noise) :])
    try:
        header = read_header(Bytes(content))
    except UnreadableFileError:
        return
    json.dumps(read_header_facts(header).about).encode()


@given(
    st.text(max_size=200) | st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=5).map(json.dumps)
)
def test_any_sidecar_gives_facts(text: str) -> None:
    facts = read_sidecar_facts(text)
    assert len(facts.trigger_words) <= 24


@pytest.mark.parametrize(
    ("tensors", "texts", "kind", "family"),
    [
        (LORA_SDXL, {}, ModelKind.LORA, "SDXL"),
        (LORA_SD1, {}, ModelKind.LORA, "SD1"),
        # Trainers leave the architecture of another model in their settings; the tensors cannot lie.
        (LORA_SD1, {"modelspec.architecture": "flux-1-dev/lora"}, ModelKind.LORA, "SD1"),
        (CHECKPOINT_SD1, {}, ModelKind.CHECKPOINT, "SD1"),
        (CHECKPOINT_FLUX, {}, ModelKind.CHECKPOINT, "Flux"),
        ({"lora_unet_double_blocks_0_img_attn_proj.lora_down.weight": (4, 8)}, {}, ModelKind.LORA, "Flux"),
        ({"model.diffusion_model.joint_blocks.0.x_block.attn.qkv.weight": (4, 8)}, {}, ModelKind.CHECKPOINT, "SD3"),
        (VAE, {}, ModelKind.VAE, None),
        (EMBEDDING_SDXL, {}, ModelKind.EMBEDDING, "SDXL"),
        ({"emb_params": (4, 768)}, {}, ModelKind.EMBEDDING, "SD1"),
        ({"control_model.input_blocks.0.0.weight": (4, 4)}, {}, ModelKind.CONTROLNET, None),
        ({"text_model.encoder.layers.0.mlp.fc1.weight": (4, 4)}, {}, ModelKind.TEXT_ENCODER, None),
        ({"strange": (1,)}, {"ss_network_module": "networks.lora", "ss_base_model_version": "sdxl_base_v1-0"},
         ModelKind.LORA, "SDXL"),
        ({"strange": (1,)}, {"modelspec.architecture": "stable-diffusion-v2-768-v"}, None, "SD2"),
    ],
)  # fmt: skip
def test_kind_and_family_come_from_the_tensors_first(
    tensors: dict[str, tuple[int, ...]], texts: dict[str, str], kind: ModelKind | None, family: str | None
) -> None:
    facts = read_header_facts(read_header(Bytes(safetensors(tensors, texts))))
    assert (facts.kind, facts.family) == (kind, family)


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("SD 1.5", "SD1"), ("sd_v1", "SD1"), ("stable-diffusion-v1", "SD1"), ("SD 2.1 768", "SD2"),
        ("SDXL 1.0", "SDXL"), ("stable-diffusion-xl-v1-base", "SDXL"), ("sdxl_base_v1-0", "SDXL"), ("Pony", "SDXL"),
        ("Illustrious", "SDXL"), ("SD 3.5 Large", "SD3"), ("stable-diffusion-v3-medium", "SD3"), ("Flux.1 D", "Flux"),
        ("flux-1-dev/lora", "Flux"), ("Flux.2-dev", "Flux.2"), ("Qwen", "Qwen-Image"), ("Wan Video 14B", "Wan"),
        ("Chroma", "Chroma"), ("Other", None), ("", None),
    ],
)  # fmt: skip
def test_families_go_by_many_names(name: str, family: str | None) -> None:
    assert identify_family(name) == family


@pytest.mark.parametrize(
    ("path", "kind", "family"),
    [
        ("stable-diffusion-webui/models/Lora/people/x.safetensors", ModelKind.LORA, None),
        ("stable-diffusion-webui/models/Stable-diffusion/x.ckpt", ModelKind.CHECKPOINT, None),
        ("stable-diffusion-webui/embeddings/x.pt", ModelKind.EMBEDDING, None),
        ("forge/models/VAE/x.pt", ModelKind.VAE, None),
        ("ComfyUI/models/upscale_models/x.pth", ModelKind.UPSCALER, None),
        ("ComfyUI/models/diffusion_models/x.gguf", ModelKind.CHECKPOINT, None),
        ("ComfyUI/models/text_encoders/x.safetensors", ModelKind.TEXT_ENCODER, None),
        ("invokeai/models/sdxl/lora/x.safetensors", ModelKind.LORA, "SDXL"),
        ("invokeai/models/sd-1/embedding/x.bin", ModelKind.EMBEDDING, "SD1"),
        ("somewhere/x.pt", None, None),
    ],
)
def test_the_folder_says_what_the_header_does_not(path: str, kind: ModelKind | None, family: str | None) -> None:
    assert (detect_kind(path), detect_family(path)) == (kind, family)


def test_trigger_words_come_from_the_author_or_else_from_the_training() -> None:
    assert read_header_facts(read_header(Bytes(WHOLE))).trigger_words == ("fox",)
    said = safetensors(LORA_SDXL, {"modelspec.trigger_phrase": "red fox, snowfall"})
    assert read_header_facts(read_header(Bytes(said))).trigger_words == ("red fox", "snowfall")


def test_what_a_downloader_wrote_beside_a_model_is_read() -> None:
    facts = read_sidecar_facts(
        json.dumps(
            {
                "id": 12,
                "modelId": 7,
                "name": "v2",
                "baseModel": "SDXL 1.0",
                "trainedWords": ["violet storm"],
                "model": {"name": "Storms", "type": "LORA"},
                "files": [{"hashes": {"AutoV2": "ABCDEF0123", "SHA256": "AB" * 32, "CRC32": "00000000"}}],
            }
        )
    )
    assert (facts.kind, facts.family, facts.trigger_words) == (ModelKind.LORA, "SDXL", ("violet storm",))
    assert facts.hashes == (("autov2", "abcdef0123"), ("sha256", "ab" * 32))
    assert facts.about["title"] == "Storms"


FILES = {"grain": 1, "noise": 2, "storm": 3}
EVENTS = [("scan", name) for name in FILES] + [
    ("image", name, said) for name in FILES for said in ("grain", "other name")
]


def scanned(tx: WriteTx, name: str) -> None:
    folder = file_queries.add_folder(tx, "/models", now_ms=0)
    content = safetensors(LORA_SDXL, seed=FILES[name])
    found = FoundModel(FileStat(name.encode(), len(content), 1), "lora", name, None, {}, [], None, None)
    known = file_queries.add(tx, folder, found, now_ms=0)
    sha256 = hashlib.sha256(content).hexdigest()
    hashes = [("sha256", sha256), ("autov2", sha256[:10]), ("autov3", autov3(name))]
    file_queries.set_hashes(tx, known, hashes, now_ms=0)


def autov3(name: str) -> str:
    content = safetensors(LORA_SDXL, seed=FILES[name])
    return hashlib.sha256(content[8 + int.from_bytes(content[:8], "little") :]).hexdigest()[:12]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(EVENTS), st.integers(0, 4))
def test_a_hash_finds_its_file_whatever_the_names_and_the_order(
    tmp_path_factory: pytest.TempPathFactory, events: list[tuple[str, ...]], repeated: int
) -> None:
    with Database.open(tmp_path_factory.mktemp("registry")) as database:
        for event in [*events, *(event for event in events[:repeated] if event[0] == "image")]:
            if event[0] == "scan":
                database.write_bulk(scanned, event[1])
            else:
                use = ModelUse(ModelKind.LORA, event[2], autov3(event[1]), 1.0)
                database.write_bulk(model_queries.find_or_add, use, now_ms=0)
        for _, name, said in (event for event in EVENTS if event[0] == "image"):
            use = ModelUse(ModelKind.LORA, said, autov3(name), 1.0)
            entry = database.write_bulk(model_queries.find_or_add, use, now_ms=0)
            assert entry is not None
            shown = database.read(group_queries.find_main_entry, entry)
            path = database.read(lambda tx, i=shown: tx.value("SELECT file_path FROM models WHERE id = :i", i=i))
            assert path == f"/models/{name}"
        assert [check for check in doctor_checks.run_all(database) if not check.ok and "job" not in check.name] == []


LORA = ModelKind.LORA
HASHES = ("0123456789", "abcdef0123", "01234567", "0123456789ab")
REFERENCES = st.builds(
    ModelUse,
    st.sampled_from((LORA, LORA, ModelKind.CHECKPOINT)),
    st.none() | st.sampled_from(("grain", "Grain", "noise", "storm")),
    st.none() | st.sampled_from(HASHES),
)
MODEL_FILES = st.sets(st.sampled_from(("grain", "noise", "storm")), max_size=2)
Groups = frozenset[frozenset[tuple[str | None, ...]]]


class RolledBackError(Exception):
    def __init__(self, groups: Groups) -> None:
        self.groups = groups


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with Database.open(tmp_path_factory.mktemp("registry") / "library") as database:
        yield database


def group_after(database: Database, events: Sequence[ModelUse | str]) -> Groups:
    def change(tx: WriteTx) -> None:
        for event in events:
            if isinstance(event, ModelUse):
                model_queries.find_or_add(tx, event, now_ms=0)
            else:
                scanned(tx, event)
        raise RolledBackError(read_groups(tx))

    with pytest.raises(RolledBackError) as rolled_back:
        database.write_bulk(change)
    return rolled_back.value.groups


def read_groups(tx: ReadTx) -> Groups:
    """Each model as the set of its entries, with how each is known; the main entry is marked."""
    groups: dict[int, set[tuple[str | None, ...]]] = {}
    for main, *entry in tx.rows(
        """
        SELECT coalesce(m.merged_into, m.id), m.kind, m.name, m.file_path, m.merged_by,
               (SELECT group_concat(h.kind || h.value) FROM model_hashes AS h WHERE h.model_id = m.id)
          FROM models AS m
        """
    ):
        groups.setdefault(main, set()).add(tuple(entry))
    return frozenset(frozenset(group) for group in groups.values())


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(REFERENCES, max_size=8), MODEL_FILES, st.randoms(use_true_random=False))
def test_which_references_are_one_model_does_not_depend_on_their_order(
    registry: Database, references: list[ModelUse], files: set[str], chance: random.Random
) -> None:
    events: list[ModelUse | str] = [*references, *sorted(files)]
    other = chance.sample(events, len(events))
    assert group_after(registry, events) == group_after(registry, other)


@pytest.mark.parametrize(
    ("references", "models"),
    [
        # A name with two hashes is two models, and a bare name could be either.
        ([("a", "0123456789"), ("a", "abcdef0123"), ("a", None)], 3),
        ([("a", "0123456789"), ("a", None)], 1),
        # Hashes of different kinds do not contradict each other.
        ([("a", "0123456789"), ("a", "01234567"), ("a", None)], 1),
        # A hash with two names is one model, which both bare names mean.
        ([("a", "0123456789"), ("b", "0123456789"), ("a", None), ("b", None), (None, "0123456789")], 1),
    ],
)
def test_references_are_one_model_by_hash_or_by_a_name_that_nothing_contradicts(
    registry: Database, references: list[tuple[str | None, str | None]], models: int
) -> None:
    for order in itertools.permutations(references):
        assert len(group_after(registry, [ModelUse(LORA, *one) for one in order])) == models
