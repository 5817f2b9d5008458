"""Graphs drawn: as text for a terminal, as Mermaid, and as a PNG file, without asking anybody on the network."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from langchain_core.language_models import FakeListChatModel
from langchain_core.runnables.graph import Graph
from langgraph.graph.state import CompiledStateGraph

from ..corpora import open_corpus
from ..errors import MissingExtra, UserError
from ..graphs.catalogue import build

_SCALE: Final = 2
_PAD: Final = 24
_INK, _PAPER, _BOX, _LINE = "#1b1f24", "#ffffff", "#e8f0f6", "#5b6b7a"


def drawable(name: str) -> Graph:
    """The drawing of the graph `name`, or of `MODULE:NAME`, a compiled graph or a function that returns one.

    Raises:
        UserError: there is none.
    """
    if ":" in name:
        from .eval_targets import own_graph

        graph: CompiledStateGraph[Any, Any, Any, Any] = own_graph(name)
    else:
        graph = build(name, model=FakeListChatModel(responses=[""]), medicines=open_corpus())
    return graph.get_graph()


def as_text(graph: Graph) -> str:
    """For a terminal."""
    return graph.draw_ascii()


def as_mermaid(graph: Graph) -> str:
    """Mermaid's source, which GitHub and most editors draw."""
    return graph.draw_mermaid()


def write_png(graph: Graph, path: Path) -> None:
    """Draw the graph into a PNG file.

    Raises:
        MissingExtra: Pillow is not installed.
        UserError: the file can't be written.
    """
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError:
        raise MissingExtra("drawing a PNG needs Pillow: run `pip install 'wardround[draw]'`") from None
    boxes, lines = _laid_out(graph)
    left = min(x - w / 2 for x, _, w, _ in boxes.values())
    top = min(y - h / 2 for _, y, _, h in boxes.values())
    width = max(x + w / 2 for x, _, w, _ in boxes.values()) - left
    height = max(y + h / 2 for _, y, _, h in boxes.values()) - top

    def at(x: float, y: float) -> tuple[float, float]:
        return (x - left + _PAD) * _SCALE, (y - top + _PAD) * _SCALE

    size = int((width + 2 * _PAD) * _SCALE), int((height + 2 * _PAD) * _SCALE)
    image = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(image)
    for points, is_conditional in lines:
        drawn = [at(x, y) for x, y in points]
        draw.line(drawn, fill=_LINE, width=1 if is_conditional else 2 * _SCALE)
        x, y = drawn[-1]
        draw.polygon([(x, y), (x - 4 * _SCALE, y - 8 * _SCALE), (x + 4 * _SCALE, y - 8 * _SCALE)], fill=_LINE)
    font = ImageFont.load_default(13 * _SCALE)
    for name, (x, y, w, h) in boxes.items():
        corners = [at(x - w / 2, y - h / 2), at(x + w / 2, y + h / 2)]
        draw.rounded_rectangle(corners, radius=8 * _SCALE, fill=_BOX, outline=_LINE, width=_SCALE)
        draw.text(at(x, y), name.strip("_"), fill=_INK, font=font, anchor="mm")
    try:
        image.save(path, format="PNG")
    except OSError as error:
        raise UserError(f"`{path}` cannot be written ({error.strerror}): name another file") from None


def _laid_out(
    graph: Graph,
) -> tuple[dict[str, tuple[float, float, float, float]], list[tuple[list[tuple[float, float]], bool]]]:
    """Boxes (centre and size) by node, and lines (from the bottom of a box to the top of the next) with their kind."""
    from grandalf.graphs import Edge, Vertex
    from grandalf.graphs import Graph as Layered
    from grandalf.layouts import SugiyamaLayout

    class View:
        def __init__(self, name: str) -> None:
            self.w, self.h = 24 + 8.5 * len(name.strip("_")), 34
            self.xy = (0.0, 0.0)

    nodes: dict[str, Any] = {name: Vertex(name) for name in graph.nodes}
    for name, vertex in nodes.items():
        vertex.view = View(name)
    edges = [Edge(nodes[e.source], nodes[e.target]) for e in graph.edges]
    layout: Any = SugiyamaLayout(Layered(list(nodes.values()), edges).C[0])
    layout.xspace, layout.yspace = 34, 46
    start = [nodes[name] for name in graph.nodes if not any(e.target == name for e in graph.edges)]
    layout.init_all(roots=start, optimize=True)
    layout.draw(8)
    boxes: dict[str, tuple[float, float, float, float]] = {}
    for name, vertex in nodes.items():
        x, y = vertex.view.xy
        boxes[name] = (float(x), float(y), float(vertex.view.w), float(vertex.view.h))
    lines: list[tuple[list[tuple[float, float]], bool]] = []
    for edge in graph.edges:
        (x, y, w, h), (tx, ty, tw, th) = boxes[edge.source], boxes[edge.target]
        if ty > y:
            points = [(x, y + h / 2), (tx, ty - th / 2)]
        else:  # back up: around the right side
            aside = max(x + w / 2, tx + tw / 2) + 18
            points = [(x + w / 2, y), (aside, y), (aside, ty - th / 2 - 14), (tx, ty - th / 2 - 14), (tx, ty - th / 2)]
        lines.append((points, bool(edge.conditional)))
    return boxes, lines
