"""The grammar of the command line: `mysticanvas NOUN VERB`, and shortcuts such as `mysticanvas search`.

A module with commands has `COMMANDS`, a `Commands`. The module `nouns.py` of a feature says which nouns and shortcuts
its commands belong to, so that only the commands of one noun are loaded. `app/cli.py` puts them together.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

PROGRAM = "mysticanvas"
# Metavariables of arguments that take the words of a search begin with this.
SEARCH = "SEARCH"
# Marks a word that begins with a dash and is not an option. No word of a command line contains it.
_NOT_AN_OPTION = "\0"
_USAGE_ERROR: Any = typer.BadParameter.__base__

Function = TypeVar("Function", bound=Callable[..., None])


@dataclass(frozen=True, slots=True)
class Command:
    """`name` is “image rate”, or “undo” for a shortcut. `examples` are complete command lines."""

    name: str
    function: Callable[..., None]
    examples: tuple[str, ...]

    @property
    def noun(self) -> str:
        return self.name.partition(" ")[0]

    @property
    def verb(self) -> str:
        return self.name.rpartition(" ")[2]

    @property
    def is_shortcut(self) -> bool:
        return self.noun == self.name


class Commands:
    """The commands of one module."""

    def __init__(self) -> None:
        self.found: list[Command] = []

    def add(self, name: str, *examples: str) -> Callable[[Function], Function]:
        """Adds the decorated function as a command. `examples` are the arguments of example command lines; the first
        is shown with errors. Without examples, the command needs no arguments."""
        lines = tuple(f"{PROGRAM} {name} {example}".rstrip() for example in examples or ("",))

        def add(function: Function) -> Function:
            self.found.append(Command(name, function, lines))
            return function

        return add


class Verb(TyperCommand):
    """A command. Words of a search may begin with a dash, and errors contain an example."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """NAME for a required argument, [NAME] for an optional one, and … after one that can be repeated."""
        arguments = [one for one in self.params if one.param_type_name == "argument"]
        return ["[OPTIONS]", *map(_describe_argument, arguments)]

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        words = _mark_search_words(self.params, args) if _takes_search(self.params) else args
        try:
            return list(super().parse_args(ctx, words))
        except _USAGE_ERROR as error:
            ctx.fail(f"{_describe(error)} {_format_hint(self.epilog)}".rstrip())


def _describe_argument(argument: Any) -> str:
    name = argument.metavar or argument.name.upper()
    return f"{name if argument.required else f'[{name}]'}{'' if argument.nargs == 1 else '…'}"


def _takes_search(params: Iterable[Any]) -> bool:
    return any(one.param_type_name == "argument" and (one.metavar or "").startswith(SEARCH) for one in params)


def _mark_search_words(params: Iterable[Any], args: Sequence[str]) -> list[str]:
    """Marks words such as -boat, which exclude something from a search. They are no options."""
    options = {name: one for one in params for name in (*one.opts, *one.secondary_opts) if name.startswith("-")}
    marked: list[str] = []
    is_value = False
    for at, word in enumerate(args):
        if word == "--" and not is_value:
            return [*marked, *args[at:]]
        is_search = word.startswith("-") and not word.startswith("--") and word not in (*options, "-", "-h")
        marked.append(_NOT_AN_OPTION + word if is_search and not is_value else word)
        is_value = not is_value and word in options and not options[word].is_flag
    return marked


def read_search_words(words: Sequence[str]) -> list[str]:
    """The words of a search as they were entered."""
    return [word.removeprefix(_NOT_AN_OPTION) for word in words]


def _describe(error: Any) -> str:
    sentence = str(error.format_message()).replace(_NOT_AN_OPTION, "")
    if close := getattr(error, "possibilities", None):
        names = " or ".join(list(close)[:2])
        sentence = f"{str(error.message).rstrip('.')}. Did you mean {names}?"
    return sentence if sentence.endswith((".", "?", "…")) else f"{sentence}."


def _format_hint(epilog: str | None) -> str:
    """The first example of a command."""
    lines = [line.strip() for line in (epilog or "").splitlines()]
    found = [line for line in lines if line.startswith(PROGRAM)]
    return f"Example: {found[0]}" if found else ""


def build_verb(command: Command) -> TyperCommand:
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    epilog = "\b\n" + "\n".join(("Examples:" if len(command.examples) > 1 else "Example:", *command.examples))
    app.command(command.verb, cls=Verb, epilog=epilog)(command.function)
    built = typer.main.get_command(app)
    assert isinstance(built, TyperCommand)
    return built


class Noun(TyperGroup):
    """The verbs of a noun."""

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        name = args[0]
        if name not in self.commands and not name.startswith("-"):
            similar = suggest(name, {verb: f"{self.name} {verb}" for verb in self.commands})
            verbs = f"The verbs of {self.name} are: {', '.join(self.commands)}."
            ctx.fail(describe_unknown(f"{self.name} {name}", similar, verbs))
        return super().resolve_command(ctx, args)


def build_noun(name: str, help_text: str, commands: Iterable[Command]) -> TyperGroup:
    built = Noun(name=name, help=help_text, no_args_is_help=True, rich_markup_mode=None)
    for command in sorted(commands, key=lambda one: one.verb):
        built.add_command(build_verb(command), command.verb)
    return built


def suggest(entered: str, known: Mapping[str, str]) -> list[str]:
    """The values of the keys that are most similar to what was entered, at most three."""
    return [known[key] for key in get_close_matches(entered, known, n=3, cutoff=0.6)]


def describe_unknown(name: str, similar: Sequence[str], otherwise: str) -> str:
    """The error for a command that does not exist."""
    if not similar:
        return f"There is no command “{PROGRAM} {name}”. {otherwise}"
    names = " or ".join(f"{PROGRAM} {one}" for one in dict.fromkeys(similar))
    return f"There is no command “{PROGRAM} {name}”. Did you mean {names}?"
