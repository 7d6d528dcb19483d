"""`minicnn learn`: the course."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from minicnn.cli.errors import UserError, plain_errors, say, tell


@plain_errors
def learn(
    number: Annotated[int | None, typer.Argument(metavar="[CHAPTER]", help="Its number.", show_default=False)] = None,
    check: Annotated[bool, typer.Option("--check", help="Judge your file.")] = False,
    hint: Annotated[
        int | None,
        typer.Option("--hint", min=1, max=3, help="Show a hint: 1, 2 or 3, each saying more.", show_default=False),
    ] = None,
    solution: Annotated[
        bool, typer.Option("--solution", help="Show a solution, and where minicnn does the same.")
    ] = False,
    file: Annotated[
        Path | None, typer.Option(help="Your file.  [default: learn_NN.py in this folder]", show_default=False)
    ] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Forget which chapters are done.")] = False,
) -> None:
    """A course: build a convolutional network yourself, chapter by chapter.

    `minicnn learn` lists the chapters, `minicnn learn 3` shows one and writes its exercise, and with --check judges
    what you made of it.
    """
    from minicnn.learn import CHAPTERS, progress

    if reset:
        progress.reset()
        say("No chapter is done now. Your files are left as they are.")
        return
    if number is None:
        _list()
        return
    if number not in CHAPTERS:
        raise UserError(f"there is no chapter {number}; they are 1 to {len(CHAPTERS)}")
    chapter = CHAPTERS[number]
    path = file or Path(chapter.file)
    if hint is not None:
        say(chapter.hints[hint - 1])
        if hint < len(chapter.hints):
            say(f"\nMore: minicnn learn {number} --hint {hint + 1}")
    elif solution:
        _show_solution(number)
    elif check:
        _check(number, path)
    else:
        _show(number, path)


def _list() -> None:
    from minicnn.learn import CHAPTERS, progress

    done = progress.done()
    for number, chapter in CHAPTERS.items():
        mark = f"done {done[number]}" if number in done else f"{chapter.minutes} minutes"
        say(f"{number:3}  {chapter.title:48}  {mark}")
    left = next((number for number in CHAPTERS if number not in done), None)
    say("\nAll chapters are done." if left is None else f"\nGo on: minicnn learn {left}")


def _width() -> int:
    return max(min(shutil.get_terminal_size().columns, 100), 60)


def _show(number: int, path: Path) -> None:
    from rich.console import Console
    from rich.markdown import Markdown

    from minicnn.learn import CHAPTERS, markdown, stub
    from minicnn.learn.text import heading

    chapter = CHAPTERS[number]
    text = markdown(chapter)
    Console(width=_width()).print(Markdown(f"# {heading(chapter)}\n\n{text}", code_theme="bw"))
    if path.exists():
        say(f"\n{path} is there already, and left as it is.")
    else:
        with path.open("x", encoding="utf-8") as file:
            file.write(stub(chapter))
        say(f"\nThe exercise is in {path}.")
    say(f"Check it: minicnn learn {number} --check    A hint: minicnn learn {number} --hint 1")


def _show_solution(number: int) -> None:
    from minicnn.learn import CHAPTERS
    from minicnn.learn.text import sources

    chapter = CHAPTERS[number]
    say(f"# One solution, {chapter.file}\n\n{chapter.solution}")
    for path, line, source in sources(chapter):
        say(f"# In minicnn: {path}, line {line}\n\n{source}")


def _check(number: int, path: Path) -> None:
    from minicnn.learn import CHAPTERS, check, progress

    if not path.is_file():
        raise UserError(f"there is no file {path}; minicnn learn {number} writes one to start from")
    report = check(CHAPTERS[number], path.resolve(), _width(), say=say)
    say(report.text)
    if not report.passed:
        say(f"\nA hint: minicnn learn {number} --hint 1")
        raise typer.Exit(1)
    try:
        progress.remember(number)
    except OSError as error:
        tell(f"the progress can't be kept ({error.strerror}: {error.filename})")
    following = number + 1
    say(f"Go on: minicnn learn {following}" if following in CHAPTERS else "That was the last one.")
