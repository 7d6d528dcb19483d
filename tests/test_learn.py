"""The course: every solution passes, every stub fails, every typical mistake is told by its name."""

import re
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import minicnn
from minicnn import nn, optim
from minicnn.cli import app
from minicnn.learn import CHAPTERS, check, markdown, stub
from minicnn.learn.exercise import executed, solved
from minicnn.learn.text import sources
from minicnn.learn.trial import changed_source, tried
from minicnn.learn.worker import answer

NUMBERS = list(CHAPTERS)
MISTAKES = [(number, k) for number, chapter in CHAPTERS.items() for k in range(len(chapter.mistakes))]


@pytest.fixture
def course(tmp_path, monkeypatch):
    """An empty folder to work in, and no progress."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("minicnn.learn.progress.user_data_path", lambda *_, **__: tmp_path / "data")
    return tmp_path


ALWAYS_A_BIAS = """
def conv2d_backward(g, *a, **k):
    return (*right(g, *a, **k)[:2], g.sum((0, 2, 3)))
"""


def run(*arguments):
    return CliRunner().invoke(app, ["learn", *map(str, arguments)])


@pytest.mark.parametrize("number", NUMBERS)
def test_the_solution_is_right(number):
    assert tried(CHAPTERS[number], solved(CHAPTERS[number])) is None


@pytest.mark.parametrize(("number", "k"), MISTAKES)
def test_a_mistake_is_told_by_its_name(number, k, course):
    chapter = CHAPTERS[number]
    for before in range(1, number):
        (course / CHAPTERS[before].file).write_text(CHAPTERS[before].solution)
    mistake = chapter.mistakes[k]
    path = course / chapter.file
    path.write_text(changed_source(chapter, mistake.right, mistake.wrong))
    passed, text = answer(chapter, path, 80)
    assert not passed
    assert text.replace("\n", " ").startswith(mistake.name), text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_a_mistake_is_named_before_the_other_functions_are_written(course):
    for number in (4, 5):
        (course / CHAPTERS[number].file).write_text(CHAPTERS[number].solution)
    text = changed_source(CHAPTERS[6], "products.sum(0)", "products.mean(0)")
    (course / "learn_06.py").write_text(text + '\n\ndef conv2d_backward(*a, **k):\n    raise NotImplementedError("")\n')
    assert answer(CHAPTERS[6], course / "learn_06.py", 80)[1].startswith("That is the mean over the images")


def test_a_result_where_none_is_right_is_told(course):
    for number in (4, 5):
        (course / CHAPTERS[number].file).write_text(CHAPTERS[number].solution)
    source = CHAPTERS[6].solution
    (course / "learn_06.py").write_text(source + "\n\nright = conv2d_backward\n" + ALWAYS_A_BIAS)
    assert "expected  None\nreceived  an array of shape (" in answer(CHAPTERS[6], course / "learn_06.py", 80)[1]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_chapter_is_whole(number):
    chapter = CHAPTERS[number]
    assert len(chapter.mistakes) >= 6
    assert len({one.name for one in chapter.mistakes}) == len(chapter.mistakes)
    assert 15 <= chapter.minutes <= 40
    text = markdown(chapter)
    assert "{{" not in text
    assert re.search(r"\d", text)
    for path, line, source in sources(chapter):
        assert path.startswith("minicnn/")
        assert line > 0
        assert "def " in source


@pytest.mark.parametrize("number", NUMBERS)
def test_the_stub_is_empty(number, course):
    chapter = CHAPTERS[number]
    for before in range(1, number):
        (course / CHAPTERS[before].file).write_text(CHAPTERS[before].solution)
    source = stub(chapter)
    assert source.count("NotImplementedError") == len(chapter.functions)
    path = course / chapter.file
    path.write_text(source)
    passed, text = answer(chapter, path, 80)
    assert not passed
    assert "still empty" in text


@pytest.mark.slow
@pytest.mark.parametrize("number", [number for number in NUMBERS if CHAPTERS[number].judged])
def test_the_judge_acquits_the_solution(number, course):
    for before in range(1, number + 1):
        (course / CHAPTERS[before].file).write_text(CHAPTERS[before].solution)
    report = check(CHAPTERS[number], course / CHAPTERS[number].file)
    assert report.passed, report.text


def test_the_list_and_the_progress(course):
    assert "Go on: minicnn learn 1" in run().output
    assert run(1).exit_code == 0
    written = (course / "learn_01.py").read_text()
    assert written == stub(CHAPTERS[1])
    result = run(1, "--check")
    assert result.exit_code == 1
    assert "learn_01.py, line 14: still empty." in result.output
    (course / "learn_01.py").write_text(CHAPTERS[1].solution)
    assert "left as it is" in run(1).output
    assert (course / "learn_01.py").read_text() == CHAPTERS[1].solution
    result = run(1, "--check")
    assert result.exit_code == 0, result.output
    assert "Chapter 1 is done.\nGo on: minicnn learn 2" in result.output
    assert re.search(r"One window +done 20\d\d", run().output)
    assert "Go on: minicnn learn 2" in run().output
    assert run("--reset").exit_code == 0
    assert "Go on: minicnn learn 1" in run().output
    (course / "data" / "learn.json").write_text("nonsense")
    assert "Go on: minicnn learn 1" in run().output


def test_hints_and_solutions(course):
    for given in (1, 2, 3, 3):
        output = run(3, "--hint").output.replace("\n   ", " ")
        assert [hint in output for hint in CHAPTERS[3].hints] == [k == given - 1 for k in range(3)]
    assert "a solution: minicnn learn 3 --solution" in output
    output = run(5, "--solution").output
    assert CHAPTERS[5].solution in output
    assert "# In minicnn: minicnn/kernels/convolution/im2col.py, line" in output
    assert not list(course.glob("learn_*"))


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("def output_pixel(x, weight, i, j):\n    return x[99, 99]\n", "It raised IndexError in line 2: index 99"),
        ("def output_pixel(x, weight, i, j):\n    pass\n", "It returned None. Is there a `return`?"),
        ("def output_pixel(x, weight, i, j):\n    return x\n", "expected shape (), received (1, 1)"),
        ("def output_pixel(x, weight, i, j:\n    return x\n", "learn_01.py, line 1: '(' was never closed."),
        ("def pixel(x, weight, i, j):\n    return x\n", "learn_01.py has no output_pixel."),
        ("1 / 0\n", "learn_01.py, line 1 raised ZeroDivisionError: division by zero"),
        ("import learn_07\n", "that chapter comes first."),
        ("import os\nos._exit(3)\n", "ended Python with exit status 3"),
        (
            "def output_pixel(x, weight, i, j):\n    x[0] += 1\n    return 0\n",
            "output_pixel has changed x, which belongs to the caller: work on a copy.",
        ),
    ],
)
def test_what_is_said_of_other_mistakes(source, sentence, course):
    path = course / "learn_01.py"
    path.write_text(source)
    report = check(CHAPTERS[1], path)
    assert not report.passed
    assert sentence in report.text.replace("\n", " "), report.text


def test_what_the_readme_shows(course):
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    mistake = next(one for one in CHAPTERS[4].mistakes if one.name.startswith("p and q are swapped"))
    (course / "learn_04.py").write_text(changed_source(CHAPTERS[4], mistake.right, mistake.wrong))
    assert f"```\n{answer(CHAPTERS[4], course / 'learn_04.py', 80)[1]}\n```" in readme
    for chapter in CHAPTERS.values():
        assert re.search(rf"^\|.*\b{chapter.number} {re.escape(chapter.title[:4])}", readme, re.MULTILINE)


@pytest.mark.parametrize("steps", [10, 469])
def test_the_schedule_of_the_last_chapter_is_that_of_the_library(steps):
    optimizer = optim.SGD([nn.Parameter(minicnn.zeros(1))], lr=1.0)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, 0.3, steps, cycle_momentum=False)
    one_cycle = solved(CHAPTERS[16]).one_cycle
    for step in range(steps):
        assert one_cycle(step, steps, 0.3) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9)
        optimizer.step()
        schedule.step()


def test_the_course_in_order_in_a_fresh_folder(course):
    """What the commands write, filled in, works chapter after chapter; the last part of chapter 11 trains."""
    for number, chapter in CHAPTERS.items():
        assert run(number).exit_code == 0
        (course / chapter.file).write_text(chapter.solution)
        assert answer(chapter, course / chapter.file, 80) == (
            True,
            f"{chapter.file}: every call tried gives the right answer.",
        )
    report = check(CHAPTERS[11], course / "learn_11.py")
    assert (report.passed, report.text) == (True, "Chapter 11 is done.")


def test_a_wrong_convolution_does_not_train_as_minicnns(course):
    for number in range(1, 12):
        (course / CHAPTERS[number].file).write_text(CHAPTERS[number].solution)
    gradients = CHAPTERS[6].solution.replace("products.sum(0)", "products[0]")
    (course / "learn_06.py").write_text(gradients)
    report = check(CHAPTERS[11], course / "learn_11.py")
    assert not report.passed
    assert "The losses part: check chapters 4 and 6 again." in report.text


def test_the_page_holds_every_chapter(course):
    result = run("--html", "course.html")
    assert result.output == "The course is in course.html.\n"
    page = (course / "course.html").read_text()
    for chapter in CHAPTERS.values():
        assert f'<h2 id="title-{chapter.number}">' in page
        assert chapter.hints[2] in unescape(page)
    assert page.count("srcdoc=") == sum(chapter.widget is not None for chapter in CHAPTERS.values()) >= 8
    assert "https://" not in re.sub(r'srcdoc="[^"]*"', "", page)


def test_the_notebooks_are_valid_and_not_overwritten(course):
    nbformat = pytest.importorskip("nbformat")
    assert run("--notebook", "notebooks").output.count(".ipynb") == len(CHAPTERS)
    for chapter in CHAPTERS.values():
        notebook = nbformat.read(course / "notebooks" / chapter.file.replace(".py", ".ipynb"), 4)
        nbformat.validate(notebook)
        assert f"%%writefile {chapter.file}\n{stub(chapter)}".rstrip() in [
            cell.source.rstrip() for cell in notebook.cells
        ]
    (course / "notebooks" / "learn_03.ipynb").write_text("mine")
    assert run("--notebook", "notebooks").output == ""
    assert (course / "notebooks" / "learn_03.ipynb").read_text() == "mine"


def test_an_endless_loop_is_ended(course):
    path = course / "learn_01.py"
    path.write_text("while True:\n    pass\n")
    report = check(CHAPTERS[1], path, seconds=3)
    assert report.text == "learn_01.py did not come to an end within 3 seconds. Is there an endless loop?"


def test_bad_requests(course):
    assert "there is no chapter 99" in run(99).output
    assert "there is no file learn_04.py; minicnn learn 4 writes one" in run(4, "--check").output
    assert run(4, "--check").exit_code == 1


def test_a_file_imports_the_chapters_beside_it(course):
    (course / "learn_04.py").write_text("unfold = 'mine'\n")
    module = executed("from learn_04 import unfold\n", str(course / "learn_06.py"), course)
    assert module.unfold == "mine"
    assert callable(solved(CHAPTERS[6]).unfold)
    assert not np.any([name.startswith("learn_") for name in __import__("sys").modules])
