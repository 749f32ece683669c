from __future__ import annotations

from dockdesk.dockerfile.stages import needed, stage_graph
from dockdesk.dockerfile.syntax import parse

TEXT = """\
ARG BASE=alpine:3.20
FROM ${BASE} AS base
FROM base AS build
COPY . .
RUN --mount=type=cache,target=/c,from=seed --mount=type=bind,from=tools,target=/t make
FROM golang:1.22 AS tools
FROM scratch AS unused
ADD https://example.org/x /
FROM Base
COPY --from=build /out /out
COPY --from=0 /etc/a /etc/a
COPY --from=nginx:1.27 /etc/nginx /etc/nginx
RUN --mount=target=/src,type=bind make
"""


def test_the_graph_has_stages_images_and_the_context() -> None:
    graph = stage_graph(parse(TEXT))
    assert [(node.id, node.label, node.line) for node in graph.nodes] == [
        ("stage:0", "base", 1),
        ("stage:1", "build", 2),
        ("stage:2", "tools", 5),
        ("stage:3", "unused", 6),
        ("stage:4", "stage 4", 8),
        ("image:alpine:3.20", "alpine:3.20", 1),
        ("context", "build context", 3),
        ("image:seed", "seed", 4),
        ("image:golang:1.22", "golang:1.22", 5),
        ("scratch", "scratch", 6),
        ("remote:https://example.org/x", "https://example.org/x", 7),
        ("image:Base", "Base", 8),
        ("image:nginx:1.27", "nginx:1.27", 11),
    ]


def test_the_edges_say_what_is_taken_how_and_on_which_line() -> None:
    graph = stage_graph(parse(TEXT))
    assert [tuple(edge) for edge in graph.edges] == [
        ("image:alpine:3.20", "stage:0", "from", 1),
        ("stage:0", "stage:1", "from", 2),
        ("context", "stage:1", "copy", 3),
        ("image:seed", "stage:1", "mount", 4),
        ("stage:2", "stage:1", "mount", 4),
        ("image:golang:1.22", "stage:2", "from", 5),
        ("scratch", "stage:3", "from", 6),
        ("remote:https://example.org/x", "stage:3", "add", 7),
        ("image:Base", "stage:4", "from", 8),
        ("stage:1", "stage:4", "copy", 9),
        ("stage:0", "stage:4", "copy", 10),
        ("image:nginx:1.27", "stage:4", "copy", 11),
        ("context", "stage:4", "mount", 12),
    ]


def test_a_target_needs_what_it_takes_from_and_nothing_else() -> None:
    document = parse(TEXT)
    assert needed(document) == (0, 1, 2, 4)
    assert needed(document, "BUILD") == (0, 1, 2)
    assert needed(document, 3) == (3,)
    assert needed(document, "no such") == ()
    assert needed(parse("")) == ()


def test_a_circle_of_stages_ends() -> None:
    document = parse("FROM a AS x\nCOPY --from=y /a /\nFROM b AS y\nCOPY --from=x /a /\n")
    assert needed(document, "x") == (0, 1)


def test_a_file_without_stages_has_an_empty_graph() -> None:
    graph = stage_graph(parse("ARG A\n# only\n"))
    assert graph.nodes == ()
    assert graph.edges == ()


def test_a_stage_may_be_chosen_by_a_global_arg() -> None:
    document = parse("ARG KIND=prod\nFROM a AS base-prod\nFROM b AS base-dev\nFROM base-${KIND}\n")
    assert document.stages[2].base_stage == 0
    assert needed(document) == (0, 2)
