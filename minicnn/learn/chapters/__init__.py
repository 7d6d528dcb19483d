"""The chapters in their order: what each text computes, the calls that are tried, the mistakes that are known."""

from minicnn.learn.chapter import Chapter
from minicnn.learn.chapters import (
    c01_one_window,
    c02_windows,
    c03_seven_loops,
    c04_patch_matrix,
    c05_gradient_of_x,
    c06_gradient_of_weight,
    c07_max_pooling,
    c08_cross_entropy,
    c09_batch_norm,
    c10_autograd,
    c11_lenet,
    c12_tiles,
    c13_winograd,
    c14_testing,
    c15_engine,
    c16_race,
)

CHAPTERS: dict[int, Chapter] = {
    module.CHAPTER.number: module.CHAPTER
    for module in (
        c01_one_window,
        c02_windows,
        c03_seven_loops,
        c04_patch_matrix,
        c05_gradient_of_x,
        c06_gradient_of_weight,
        c07_max_pooling,
        c08_cross_entropy,
        c09_batch_norm,
        c10_autograd,
        c11_lenet,
        c12_tiles,
        c13_winograd,
        c14_testing,
        c15_engine,
        c16_race,
    )
}
