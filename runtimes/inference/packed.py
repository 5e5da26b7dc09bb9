"""Attention over sequences that lie one behind the other, without padding, for every transformers model.

A batch is one row of `tokens` tokens, so the linear layers (nearly all arithmetic of a small model) never see padding. Only
attention spreads the tokens into (sequences, longest); it is registered with transformers under `distillc_packed` and finds the
layout in the keyword `packed` that the model passes through. Two layouts: `Packed` is whole sequences (training, scoring,
prompts), `Step` is one new token for each sequence against a `KeyValueCache`.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface

from distillc.spec.errors import StageFailed

NAME = "distillc_packed"
PLAIN = 128  # tokens


class KeyValueCache:
    """Keys and values of each layer, shape (sequences, key-value heads, capacity, head width); `lengths` counts what is filled."""

    def __init__(self, sequences: int, capacity: int) -> None:
        self.capacity = capacity
        self.lengths = torch.zeros(sequences, dtype=torch.long)
        self.layers: dict[int, tuple[Tensor, Tensor]] = {}

    def layer(self, index: int, like: Tensor) -> tuple[Tensor, Tensor]:
        """The buffers of one layer; `like` has shape (1, heads, tokens, width)."""
        if index not in self.layers:
            shape = (len(self.lengths), like.shape[1], self.capacity, like.shape[3])
            self.layers[index] = (like.new_zeros(shape), like.new_zeros(shape))
        return self.layers[index]

    def keep(self, rows: Tensor) -> None:
        """Drops every sequence that is not in `rows`."""
        self.lengths = self.lengths[rows]
        self.layers = {index: (keys[rows], values[rows]) for index, (keys, values) in self.layers.items()}


class Packed:
    """Whole sequences, one behind the other. `cache` takes their keys and values where more tokens will follow."""

    def __init__(self, lengths: Sequence[int], cache: KeyValueCache | None = None) -> None:
        self.lengths = tuple(lengths)
        self.longest = max(self.lengths)
        self.cache = cache
        sizes = torch.tensor(self.lengths)
        starts = torch.cumsum(sizes, 0) - sizes
        sequence = torch.repeat_interleave(torch.arange(len(self.lengths)), sizes)
        self.positions = torch.arange(int(sizes.sum())) - starts[sequence]
        self.slots = sequence * self.longest + self.positions
        self.ends = starts + sizes - 1

    def spread(self, x: Tensor) -> Tensor:
        """(1, heads, tokens, width) to (sequences, heads, longest, width); zeros where a sequence is shorter."""
        flat = x[0].transpose(0, 1)
        grid = flat.new_zeros((len(self.lengths) * self.longest, *flat.shape[1:])).index_copy(0, self.slots, flat)
        return grid.view(len(self.lengths), self.longest, *flat.shape[1:]).transpose(1, 2)

    def _kernel(self, query: Tensor) -> AbstractContextManager[object]:
        """Short texts that are learned from: the backward pass of plain products is a third of the fused kernel's time, which is made
        for scores that do not fit a cache."""
        plain = query.requires_grad and self.longest <= PLAIN
        return sdpa_kernel(SDPBackend.MATH) if plain else nullcontext()

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        keys, values = self.spread(key), self.spread(value)
        if self.cache is not None:
            for buffer, filled in zip(self.cache.layer(layer, key), (keys, values), strict=True):
                buffer[:, :, : self.longest] = filled
        groups = query.shape[1] // key.shape[1]
        if groups > 1:
            keys, values = keys.repeat_interleave(groups, 1), values.repeat_interleave(groups, 1)
        # Causal, so what fills up a short sequence stands after all that its tokens may see.
        with self._kernel(query):
            mixed = scaled_dot_product_attention(self.spread(query), keys, values, is_causal=True, scale=scale)
        return mixed.transpose(1, 2).reshape(-1, *mixed.shape[1::2])[self.slots][None]


@dataclass(frozen=True)
class Step:
    """One new token for each sequence of a cache. `positions` (sequences,) is where it stands."""

    cache: KeyValueCache
    positions: Tensor
    visible: Tensor
    """(sequences, 1, 1, longest), 0 where a token may look and -inf where it may not."""

    @classmethod
    def after(cls, cache: KeyValueCache) -> "Step":
        longest = int(cache.lengths.max()) + 1
        hidden = torch.arange(longest)[None] > cache.lengths[:, None]
        return cls(cache, cache.lengths, torch.zeros(hidden.shape).masked_fill(hidden, float("-inf"))[:, None, None])

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        keys, values = self.cache.layer(layer, key)
        rows = torch.arange(len(self.positions))
        keys[rows, :, self.positions] = key[0].transpose(0, 1)
        values[rows, :, self.positions] = value[0].transpose(0, 1)
        longest = self.visible.shape[-1]
        grouped = query[0].transpose(0, 1).reshape(len(rows), keys.shape[1], -1, query.shape[3])
        scores = grouped @ keys[:, :, :longest].transpose(2, 3) * scale + self.visible
        mixed = scores.softmax(-1).to(values.dtype) @ values[:, :, :longest]
        return mixed.reshape(1, len(rows), query.shape[1], query.shape[3])


def _attention(
    module: Any, query: Tensor, key: Tensor, value: Tensor, attention_mask: Any, *, packed: Packed | Step, scaling: float, **options: Any
) -> tuple[Tensor, None]:
    window = options.get("sliding_window")
    reach = packed.longest if isinstance(packed, Packed) else packed.visible.shape[-1]
    if (window is not None and reach > window) or options.get("softcap") or options.get("s_aux") is not None:
        raise StageFailed(
            "this model's attention has a window shorter than the text, a soft cap or sinks, which training here does not know",
            help="use a model with plain causal attention, or shorter texts",
        )
    return packed.attend(int(module.layer_idx), query, key, value, scaling), None


def _no_mask(*_: Any, **__: Any) -> None:
    return None


AttentionInterface.register(NAME, _attention)
AttentionMaskInterface.register(NAME, _no_mask)


def hidden_states(model: Any, ids: Tensor, packed: Packed | Step) -> Tensor:
    """The last hidden states, shape (tokens, width), of a model loaded with this attention. `ids` has shape (tokens,)."""
    output = model.base_model(input_ids=ids[None], position_ids=packed.positions[None], use_cache=False, packed=packed)
    states: Tensor = output.last_hidden_state[0]
    return states
