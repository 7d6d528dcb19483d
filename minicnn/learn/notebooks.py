"""The course as notebooks: a chapter's text, its exercise, and the cell that checks it."""

from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from minicnn.learn.chapter import Chapter
from minicnn.learn.chapters import CHAPTERS
from minicnn.learn.exercise import stub
from minicnn.learn.text import heading, markdown


def write(folder: Path) -> list[Path]:
    """Write `learn_01.ipynb` and so on; notebooks that are there already are left as they are.

    Args:
        folder: where; it is made if it is missing.

    Returns: the paths of those that were written.

    Raises:
        OSError: where they can't be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for chapter in CHAPTERS.values():
        path = folder / Path(chapter.file).with_suffix(".ipynb")
        if path.exists():
            continue
        with path.open("x", encoding="utf-8") as file:
            nbformat.write(notebook(chapter), file)
        found.append(path)
    return found


def notebook(chapter: Chapter) -> nbformat.NotebookNode:
    """One chapter. Its exercise is written to the chapter's file, so that later chapters can import it."""
    cells = [new_markdown_cell(f"# {heading(chapter)}\n\n{markdown(chapter)}")]
    if chapter.widget is not None:
        module = chapter.widget.__module__
        cells.append(new_code_cell(f"from {module} import shown\n\nshown()"))
    cells.append(new_code_cell(f"%%writefile {chapter.file}\n{stub(chapter)}"))
    cells.append(new_code_cell(f"!minicnn learn {chapter.number} --check"))
    cells.append(new_code_cell(f"# !minicnn learn {chapter.number} --hint"))
    return new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
