"""`port ops`: looking rows up, their examples, the nearest symbol, and what the tables cover."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus import frequency
from port import coverage, table
from port.report import example, lookup, support
from port.translate import translate

ROOT = Path(__file__).resolve().parents[1]


def found(query: str) -> list[str]:
    return list(lookup.ops(table.load(), query))


@pytest.mark.parametrize("query", ["tf.reduce_sum", "reduce_sum", "torch.sum"])
def test_a_row_is_found_by_either_name(query: str) -> None:
    first = found(query)[0]
    assert "tf.math.reduce_sum(input_tensor, axis=None" in first and "torch.sum(input, dim, keepdim=False)" in first
    assert "exact: proven" in first


def test_a_row_is_found_by_words_and_a_full_name_finds_no_longer_ones() -> None:
    assert any(text.startswith("torch_softplus") for text in found("softplus threshold"))
    assert found("tf.nn.relu") and not any(text.startswith("relu6") for text in found("tf.nn.relu"))
    assert found("no.such.symbol") == []


def test_an_example_is_what_the_translator_writes() -> None:
    row = table.by_tf_name()["tf.cumsum"][0]
    assert example.of(row) == ("tf.cumsum(x, axis=0)", "torch.cumsum(x, dim=0)")
    assert "  becomes\n    torch.cumsum(x, dim=0)" in found("tf.cumsum")[0]
    layer = example.of(table.by_tf_name()["keras.layers.Conv2D"][0])
    assert layer is not None and "keras.layers.Conv2D(4" in layer[0] and "nn.Conv2d(3, 4" in layer[1]
    torch = next(r for r in table.by_torch_name()["torch.count_nonzero"] if not r.tf)
    assert example.of(torch) == ("torch.count_nonzero(input, dim=None)", "tf.math.count_nonzero(input)")


def test_a_row_without_equivalent_has_no_example() -> None:
    row = next(r for rows in table.load().values() for r in rows if r.none)
    assert example.of(row) is None


@pytest.mark.parametrize(("query", "expected"), [("tf.nn.sofmax", "tf.nn.softmax"), ("cumsun", "tf.cumsum"),
                                                 ("torch.nn.Conv2D", "torch.nn.Conv2d")])
def test_the_nearest_symbol_is_named(query: str, expected: str) -> None:
    assert expected in lookup.nearest(table.load(), query)


def test_an_unknown_torch_function_is_refused_with_the_nearest() -> None:
    result = translate("import torch\n\n\nclass M(torch.nn.Module):\n    def forward(self, x: torch.Tensor):\n"
                       "        return torch.cumsumm(x, 1)\n", "torch2tf")
    assert any("did you mean `torch.cumsum`?" in f.message for f in result.findings), result.findings


def test_coverage_counts_call_sites() -> None:
    uses = {use.name: use for use in coverage.uses()}
    assert coverage.how(uses["keras.layers.Dense"]) == "exact"
    assert coverage.how(uses["torch.nn.Sequential"]) == "rule"
    assert coverage.how(coverage.Use("tf", "tf.no_such_thing", 3)) == "unknown"
    assert coverage.how(coverage.Use("method", "tensor.add_", 3)) == "exact"
    for side, held in coverage.sums().items():
        assert sum(held.sites.values()) == sum(u.sites for u in uses.values() if u.side == side)
        assert held.covered() == 1 - sum(u.sites for u in held.missing) / sum(held.sites.values())


def test_symbols_of_rules_are_known_to_the_translator() -> None:
    told = [use for use in coverage.uses() if use.by]
    assert len(told) > 50
    assert {use.name: frequency.served(use.side, use.name) for use in told} == {use.name: use.by for use in told}


def test_the_page_of_what_is_supported_is_current() -> None:
    text = (ROOT / "docs" / "ops.md").read_text(encoding="utf-8")
    assert text == support.page(), "write it again: port ops --page > docs/ops.md"
