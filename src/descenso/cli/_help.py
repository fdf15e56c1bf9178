"""Help in the language in use: Typer and Click write their own words into it in English."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from descenso.language import N_, _

_SECTIONS = (N_("Arguments"), N_("Options"), N_("Commands"))
_EXTRAS = re.compile(r"\[((?:default: |required)[^\[\]]*)\]$")

# What Click and Typer say of options of their own -> our words.
_THEIRS = {
    "Show this message and exit.": N_("show this help"),
    "Install completion for the current shell.": N_("complete commands and options in this shell"),
    "Show completion for the current shell, to copy it or customize the installation.": N_(
        "print the script that completes them"
    ),
}


def speak(command: Any) -> None:
    """Let a command and those below it write their help in the language in use."""
    base = command.context_class
    formatter = _formatter(base.formatter_class)
    command.context_class = type("Context", (base,), {"formatter_class": formatter})
    command.options_metavar = _("[OPTIONS]")
    below = getattr(command, "commands", {})
    if below:
        command.subcommand_metavar = _("COMMAND [ARGS]...")
    for each in below.values():
        each.short_help = each.short_help or each.help  # a help of one line is not cut off
        speak(each)


def _formatter(base: Any) -> Any:
    class Formatter(base):  # type: ignore[misc]
        def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
            plain = re.sub(r"\{([^{}]*)\}", r"\1", args)  # braces around what is no choice
            super().write_usage(prog, plain, prefix or _("Usage: "))

        def section(self, name: str) -> Any:
            return super().section(_(name))

        def write_dl(self, rows: Sequence[tuple[str, str]], *rest: Any, **options: Any) -> None:
            spoken = [(_without_type(name), _explanation(text)) for name, text in rows]
            super().write_dl(spoken, *rest, **options)

    return Formatter


def _without_type(name: str) -> str:
    return re.sub(r" <(?:list\[)?\w+\]?>$", "", name)


def _explanation(text: str) -> str:
    if text in _THEIRS:
        return _(_THEIRS[text])
    return _EXTRAS.sub(lambda found: f"[{'; '.join(map(_extra, found[1].split('; ')))}]", text)


def _extra(text: str) -> str:
    if text == "required":
        return _("required")
    name, colon, value = text.partition(": ")
    return _("default: {value}").format(value=value) if colon and name == "default" else text
