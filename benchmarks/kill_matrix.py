"""Every mistake of the catalogue, every correct variant, and every small edit of the right code, against every property
and the checkers used today.

A mistake replaces one operation of the reference. Of this suite's properties those are run that name the operation;
gradient checkers are run at Gaussian and at small-integer points, on the layer or network that it belongs to.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks import edits, peers
from benchmarks.command import command
from benchmarks.trials import failure_of, failures, reference_with, settle, trial_of
from benchmarks.variants import VARIANTS
from properties.harness.checking.properties import Property, all_properties, arguments_of
from properties.harness.checking.trial import DEFAULT_EXAMPLES
from properties.harness.core.tape import Case
from properties.harness.why.diagnosis import diagnosed
from properties.layers import LAYERS, OPERATIONS
from properties.layers.base.smooth import BY_NAME
from properties.layers.further.piecewise import BY_NAME as PIECEWISE
from properties.mistakes import all_mistakes


def is_exhaustive(identifier: str) -> bool:
    """Whether a property takes every case of a kind."""
    return identifier.startswith("exact.") or "basis_vectors" in identifier


OURS = "backproof"
DEFINES = "it states the formula itself; the others refute the same mistakes by what follows from it"
SECOND = "a second definition, so that an error of the suite's own oracle would show"
OWN = "it needs no oracle: the target's own functions are held against each other"
EXHAUSTS = "it leaves no case of its kind out, or bounds the chance that it did: the certificate rests on it"
SAMPLED = "it tries random values and several windows, where the exhaustive statements have one value for each"
HALF = "it holds at ties and off them alike, and says which half is broken"
STATE = "what it refutes changes no answer, so that no formula shows it; `tests/test_misbehaviour.py` does"
SCALES = "nothing else is tried at these scales; formulas in `tests/harness/checking/test_scaled.py` show it"
ONE_CHANGED = "it alone asks two questions in a row that differ in one argument"
SURROUNDINGS = "calls.leaves_its_surroundings_alone"
PIECEWISE_OWN = ("of_twice_its_argument", "is_continuous_at_zero")
OF_THE_OPTIONS = (
    "bias_is_added_to_each_channel",
    "padding_is_a_frame_of_zeros",
    "stride_takes_every_so_manieth_output",
    "dilation_puts_zeros_between",
    "kernel_gradient_with_options_is_the_adjoint",
    "image_gradient_with_options_is_the_adjoint",
    "kernel_gradient_with_options_matches_differences",
    "image_gradient_with_options_matches_differences",
)
LOSSES = [name for name, one in LAYERS.items() if one.statements == "losses"]
GIVEN_UPSTREAM = LAYERS["activation_gradients"].named()
OF_DECLARED = (
    "every_gradient_matches_differences",
    "every_step_is_by_the_targets_gradients",
    "declared_cost_falls_over_a_run",
)
JUSTIFIED = {
    **{one.named_by: DEFINES for one in OPERATIONS.values()},
    "activations.relu_parts_its_argument": OWN,
    **{f"activations.smooth_activation_is_symmetric_and_bounded[{name}]": OWN for name in BY_NAME},
    **{f"activation_gradients.gradient_is_proportional_to_upstream[{name}]": OWN for name in GIVEN_UPSTREAM},
    **{f"activation_gradients.gradient_matches_differences[{name}]": OWN for name in GIVEN_UPSTREAM},
    "convolution.conv2d_is_bilinear": "with it, agreement on all pairs of basis vectors is a proof; it needs no oracle",
    "convolution.conv2d_commutes_with_shifts": OWN,
    "convolution.kernel_gradient_is_the_adjoint": OWN,
    "convolution.image_gradient_is_the_adjoint": OWN,
    "convolution.kernel_gradient_matches_differences": OWN,
    "convolution.image_gradient_matches_differences": OWN,
    "pooling.gradient_at_ties_is_a_subgradient": SAMPLED,
    "pooling.gradient_matches_differences": OWN,
    "pooling.max_pool_is_block_reduce": SECOND,
    "pooling.gradient_vanishes_off_the_maxima": HALF,
    "dense.weights_gradient_is_features_times_upstream": DEFINES,
    "dense_options.bias_is_added_to_each_row": OWN,
    "dense_options.weights_gradient_is_features_times_all_upstream": DEFINES,
    "dense_options.dense_gradients_on_all_basis_vectors": EXHAUSTS,
    **{f"declared_network.{name}": OWN for name in OF_DECLARED},
    "declared_network.outputs_hold_at_kinks": "sampled points never lie on a kink by themselves",
    **{f"piecewise.piecewise_activation_{of}[{name}]": OWN for name in PIECEWISE for of in PIECEWISE_OWN},
    "piecewise.leaky_relu_folds_its_argument": OWN,
    **{f"piecewise.piecewise_gradient_is_proportional_to_upstream[{name}_gradient]": OWN for name in PIECEWISE},
    "average_pooling.average_pool_is_block_reduce": SECOND,
    "average_pooling.average_pool_is_linear": "with it, agreement on all basis vectors is a proof; it needs no oracle",
    "average_pooling.average_of_a_constant_is_the_constant": OWN,
    "average_pooling.windows_of_one_entry_give_the_input": OWN,
    "average_pooling.average_pool_commutes_with_transposition": OWN,
    "average_pooling.average_pool_on_all_basis_vectors": EXHAUSTS,
    "average_pooling.gradient_is_the_adjoint": OWN,
    "average_pooling.gradient_matches_differences": OWN,
    "average_pooling.gradient_goes_by_no_input": OWN,
    "average_pooling.gradient_sums_to_upstream": OWN,
    "average_pooling.gradient_vanishes_where_no_window_is": "it names the leftover of a stride",
    "average_pooling.gradient_on_all_basis_vectors": EXHAUSTS,
    "pooling_options.max_pool_with_options_is_a_maximum_filter": SECOND,
    "pooling_options.padding_never_wins": OWN,
    "pooling_options.neutral_stride_and_padding_change_nothing": OWN,
    "pooling_options.gradient_with_options_at_ties_is_a_sum_of_subgradients": SAMPLED,
    "pooling_options.gradient_with_options_matches_differences": OWN,
    "pooling_options.upstream_is_handed_out_whole": OWN,
    "pooling_options.windows_gradients_add_up": OWN,
    "pooling_options.gradient_with_options_obeys_eulers_identity": OWN,
    "pooling_options.gradient_with_options_vanishes_off_all_maxima": HALF,
    "pooling_options.gradient_with_options_at_every_set_of_maxima": EXHAUSTS,
    "pooling_options.gradient_with_options_at_every_weak_ordering": EXHAUSTS,
    "pooling_options.max_pool_with_options_at_every_weak_ordering": EXHAUSTS,
    **{f"convolution_options.{name}": OWN for name in OF_THE_OPTIONS},
    "convolution_options.what_a_stride_leaves_over_gets_no_gradient": "it says which part of the gradient is broken",
    "calls.holds_at_a_larger_size[conv2d_with_options]": "images that a statement pads itself go beyond them by little",
    "softmax.softmax_is_a_distribution": OWN,
    "softmax.softmax_ignores_shifts": OWN,
    "softmax.softmax_knows_no_order": OWN,
    "softmax.larger_logits_are_likelier": OWN,
    "softmax.gradient_is_linear_in_upstream": OWN,
    "softmax.gradient_sums_to_zero": OWN,
    "softmax.gradient_ignores_what_upstream_has_in_common": OWN,
    "softmax.jacobian_is_symmetric": OWN,
    "softmax.gradient_matches_differences": OWN,
    **{f"losses.loss_of_a_batch_is_that_of_its_images[{name}]": OWN for name in LOSSES},
    **{f"losses.gradient_of_a_batch_is_that_of_its_images[{name}_gradient]": OWN for name in LOSSES},
    **{f"losses.gradient_matches_differences[{name}_gradient]": OWN for name in LOSSES},
    **{f"losses.right_answers_cost_least[{name}]": OWN for name in LOSSES},
    "losses.softmax_cross_entropy_ignores_shifts": OWN,
    "losses.softmax_cross_entropy_gradient_sums_to_zero": OWN,
    "losses.softmax_cross_entropy_is_that_of_softmax": OWN,
    "losses.softmax_cross_entropy_gradient_is_the_chain_rule": OWN,
    "losses.logistic_cross_entropy_is_symmetric": OWN,
    **{one.id: EXHAUSTS for one in all_properties().values() if one.id.startswith("losses.every_label_counts")},
    "network.predict_holds_at_kinks": "sampled points never lie on a kink by themselves",
    "network.predict_grows_weights_over_windows": SECOND,
    "network.gradients_match_differences": OWN,
    "training.cost_decreases_at_the_gradients_rate": OWN,
    "training.cost_falls_over_a_run": "it alone goes on from where a step has led",
    **{one.id: STATE for one in all_properties().values() if one.id.startswith(SURROUNDINGS)},
    **{one.id: ONE_CHANGED for one in all_properties().values() if one.id.startswith("calls.goes_by_every")},
    **{one.id: SCALES for one in all_properties().values() if one.id.startswith("calls.holds_at_every_scale")},
    **{one.id: EXHAUSTS for one in all_properties().values() if is_exhaustive(one.id)},
}


def outcomes(offered: Mapping[str, Any], changed: Iterable[str], exhaustive: bool = True) -> dict[str, bool]:
    """Which properties that name any of the changed operations refute the target, by their ids; `exhaustive` too."""
    with trial_of(offered) as trial:
        found = failures(trial, changed, lambda entry: exhaustive or not is_exhaustive(entry.id))
        return {entry.id: failure is not None for entry, failure in found}


def names(offered: Mapping[str, Any], named_by: str) -> tuple[str, ...] | None:
    """The mistakes that the failure of this property names, the likeliest first; None if it does not fail."""
    entry = next(one for one in all_properties().values() if one.id == named_by)
    with trial_of(offered) as trial:
        arguments = arguments_of(entry.function, trial.target, entry.operation) or {}
        failure = failure_of(entry.function, arguments, trial)
        asked = trial.target.operations[entry.operation]
        return diagnosed(asked, Case(failure.case)).mistakes if failure else None


def compared(offered: Mapping[str, Any], changed: Iterable[str]) -> dict[str, dict[str, bool | None]]:
    """For each kind of points, what the checkers say of the layers that the changed operations belong to."""
    problems = {_problem(name): name for name in changed if name in OPERATIONS}
    found: dict[str, dict[str, bool | None]] = {}
    for kind in peers.POINTS:
        answers = [peers.refuted(name, offered, kind) for name in problems.values()]
        found[kind] = {
            checker: None if all(a[checker] is None for a in answers) else any(a[checker] for a in answers)
            for checker in peers.CHECKERS
        }
    return found


def _problem(operation: str) -> str:
    """What a gradient checker takes together: a function and its derivatives."""
    layer = OPERATIONS[operation].layer
    return OPERATIONS[operation].of or operation if layer.startswith(peers.ACTIVATIONS) else layer


def row_of_mistake(number: int) -> dict[str, Any]:
    """All that is found about one mistake: by property, by checker, and whether it is named."""
    settle(shrinks=False)
    mistake = all_mistakes()[number]

    def offered() -> dict[str, Any]:
        return reference_with({mistake.operation: mistake.make()})

    return {
        "mistake": mistake.id,
        "what": mistake.what,
        "named_by": mistake.named_by,
        "properties": outcomes(offered(), [mistake.operation]),
        "named_first": (names(offered(), mistake.named_by) or ())[:1] == (mistake.id,),
        "checkers": compared(offered(), [mistake.operation]),
    }


def row_of_variant(
    name: str, with_peers: bool = True, exhaustive: bool = True, examples: int = DEFAULT_EXAMPLES
) -> dict[str, Any]:
    """All that is found about one correct variant, on so many examples of each property."""
    settle(examples, shrinks=False)
    offered = reference_with(VARIANTS[name])
    found = outcomes(offered, VARIANTS[name], exhaustive)
    checkers = compared(offered, VARIANTS[name]) if with_peers else {}
    return {"variant": name, "properties": found, "checkers": checkers}


def alone(rows: list[dict[str, Any]]) -> dict[str, list[str]]:
    """For each property the mistakes that no other property of its operation refutes.

    Exhaustive statements are no others: they are there to certify, and would refute much of what samples do.
    """
    found: dict[str, list[str]] = {}
    for entry in all_properties().values():
        found[entry.id] = [
            row["mistake"]
            for row in rows
            if row["properties"].get(entry.id) and not any(row["properties"].get(other.id) for other in rivals(entry))
        ]
    return found


def rivals(entry: Property) -> list[Property]:
    """The other properties of its operation that sample."""
    others = (one for one in all_properties().values() if one.operation == entry.operation)
    return [one for one in others if one != entry and not is_exhaustive(one.id)]


def mapped(function: Any, items: list[Any], what: str) -> list[Any]:
    """`function` of every item, on all cores, with a bar."""
    with ProcessPoolExecutor() as pool:
        return list(tqdm(pool.map(function, items), total=len(items), desc=what, disable=None))


def summary(mistakes: list[dict[str, Any]], variants: list[dict[str, Any]]) -> str:
    """The Markdown table of how many mistakes each checker refutes, and how many correct variants."""
    ours = [any(row["properties"].values()) for row in mistakes], [any(row["properties"].values()) for row in variants]
    lines = ["| checker | points | mistakes refuted | correct variants refused |", "| --- | --- | --- | --- |"]
    lines.append(
        f"| **backproof** | its own | **{sum(ours[0])} of {len(mistakes)}** | **{sum(ours[1])} of {len(variants)}** |"
    )
    for checker in peers.CHECKERS:
        for kind in peers.POINTS:
            told = [[row["checkers"][kind][checker] for row in rows] for rows in (mistakes, variants)]
            counts = [f"{sum(map(bool, one))} of {len(one) - one.count(None)}" for one in told]
            lines.append(f"| {checker} | {kind} | {counts[0]} | {counts[1]} |")
    first = sum(row["named_first"] for row in mistakes)
    return "\n".join([*lines, "", f"The failure names the right mistake first for {first} of {len(mistakes)}."])


def tables(mistakes: list[dict[str, Any]], variants: list[dict[str, Any]]) -> str:
    """Markdown: for each operation its mistakes against its properties, and against the checkers."""
    parts = ["# Kill table", summary(mistakes, variants), "R refutes, · does not, blank: does not apply."]
    only = alone(mistakes)
    heads = [f"{checker}, {kind}" for checker in peers.CHECKERS for kind in peers.POINTS]
    for operation in OPERATIONS:
        entries = [one for one in all_properties().values() if one.operation == operation]
        rows = [row for row in mistakes if row["mistake"].startswith(f"{operation}: ")]
        columns = [f"{number}" for number in range(1, len(entries) + 1)]
        parts.append(f"## {operation}")
        reasons = [f"alone on {len(only[one.id])}" if only[one.id] else JUSTIFIED[one.id] for one in entries]
        parts.append("\n".join(f"{n}. `{e.id}` ({why})" for n, e, why in zip(columns, entries, reasons, strict=True)))
        lines = [_line(["mistake", *columns, "named", *heads]), _line(["---"] * (len(columns) + len(heads) + 2))]
        for row in rows:
            cells = [_cell(row["properties"].get(entry.id)) for entry in entries]
            lines.append(
                _line(
                    [
                        row["mistake"].partition(": ")[2],
                        *cells,
                        "first" if row["named_first"] else "no",
                        *_verdicts(row),
                    ]
                )
            )
        parts.append("\n".join(lines))
    lines = [_line(["correct variant", OURS, *heads]), _line(["---"] * (len(heads) + 2))]
    for row in variants:
        lines.append(_line([row["variant"], _cell(any(row["properties"].values())), *_verdicts(row)]))
    return "\n\n".join([*parts, "## Correct variants", "\n".join(lines)]) + "\n"


def _verdicts(row: dict[str, Any]) -> list[str]:
    return [_cell(row["checkers"][kind][checker]) for checker in peers.CHECKERS for kind in peers.POINTS]


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(refuted: bool | None) -> str:
    return "" if refuted is None else "R" if refuted else "·"


def main(markdown: Path | None = None, every: int = 1, peers_every: int = 20) -> dict[str, Any]:
    """Run everything, print the summary, write the tables where asked, and return what was found."""
    mistakes = mapped(row_of_mistake, list(range(len(all_mistakes()))), "mistakes")
    variants = mapped(row_of_variant, list(VARIANTS), "correct variants")
    found = [row for some in mapped(edits.rows, edits.chunks(every), "edits, in portions") for row in some]
    wrong = [row for row in found if row["refuted_by"]]
    compared = mapped(edits.checked, wrong[::peers_every], "edits, by the checkers")
    told = edits.summary(found, compared)
    print(summary(mistakes, variants), told, sep="\n\n")
    if markdown:
        text = f"{tables(mistakes, variants)}\n## Edits\n\n{told}\n\n{edits.equivalents(found)}\n"
        markdown.write_text(text, encoding="utf-8")
    return {"mistakes": mistakes, "variants": variants, "alone": alone(mistakes), "edits": found, "compared": compared}


if __name__ == "__main__":
    command(
        main,
        markdown="write the tables there",
        every="try one edit in so many",
        peers_every="and one of those by peers",
    )
